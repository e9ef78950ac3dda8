"""The predefined types on data, each figure computed a second way."""

import json
import random
import re
from pathlib import Path

import pytest

from apps.visualizations import rendering
from apps.visualizations.catalogue import arguments, registry

pytestmark = pytest.mark.kernel


@pytest.fixture
def draw(host, tmp_path):
    def draw(key, source, **given):
        kind = registry.get(key)
        directory = tmp_path / f"render-{key}-{len(list(tmp_path.iterdir()))}"
        directory.mkdir()
        order = rendering.RenderOrder(
            code=kind.code,
            variables=arguments.clean(kind.schema, given),
            source=str(source),
            source_uri="s3://b/data",
        )
        outcome = rendering.render(
            order,
            host=host,
            directory=directory,
            on_progress=lambda _: None,
            is_cancelled=lambda: False,
        )
        return outcome, outcome.html_path.read_text() if outcome.html_path else ""

    return draw


@pytest.fixture
def predictions(tmp_path):
    """300 scored rows with ties, and the area under their curve by counting pairs."""
    dice = random.Random(7)
    rows = []
    for _ in range(300):
        truth = dice.random() < 0.4
        rows.append((truth, round(min(1, max(0, dice.gauss(0.6 if truth else 0.4, 0.2))), 2)))
    path = tmp_path / "predictions.csv"
    lines = [
        f"{'tips <well>' if truth else 'ordinary'},{'tips <well>' if score > 0.5 else 'ordinary'},{score}"
        for truth, score in rows
    ]
    path.write_text("\n".join(["target,predicted,score", *lines]) + "\n")
    good = [score for truth, score in rows if truth]
    bad = [score for truth, score in rows if not truth]
    area = sum((a > b) + 0.5 * (a == b) for a in good for b in bad) / (len(good) * len(bad))
    return path, rows, area


def test_roc_curve_s_area_is_the_share_of_pairs_in_order(draw, predictions):
    path, _, area = predictions
    outcome, page = draw("roc_curve", path, trueclass="tips <well>")
    assert outcome.state == "succeeded"
    assert f"AUC {area:.4f}" in page
    assert "tips &lt;well&gt;" in page


def test_roc_curve_of_points_computed_already(draw, tmp_path):
    path = tmp_path / "roc.csv"
    path.write_text("fpr,tpr,thresholds\n0,0,inf\n0.5,0.5,0.5\n0.5,1,0.25\n1,1,0\n")
    _, page = draw("roc_curve", path, is_generated=True)
    assert f"AUC {0.125 + 0.5:.4f}" in page


def test_confusion_matrix_counts_rows(draw, predictions):
    path, rows, _ = predictions
    right = sum(truth == (score > 0.5) for truth, score in rows)
    both = sum(truth and score > 0.5 for truth, score in rows)
    _, page = draw("confusion_matrix", path)
    assert f"<b>{right / len(rows):.1%}</b>" in page
    assert re.search(rf'<td style="--weight: [\d.]+">{both}</td>', page)


def test_confusion_matrix_of_kubeflow_s_headerless_counts(draw, tmp_path):
    path = tmp_path / "cm.csv"
    path.write_text("cat,cat,10\ncat,dog,2\ndog,cat,3\ndog,dog,1234\n")
    _, page = draw("confusion_matrix", path, labels=["dog", "cat"])
    assert "1,234" in page
    assert page.index("1,234") < page.index(">10<")


def rows_of(page):
    return json.loads(re.search(r'class="tbl-rows">(.*?)</script>', page, re.DOTALL)[1])


def test_table_shows_cells_as_the_file_has_them(draw, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('name,price,note\n"</script><b>",1.10,\nÖl,20,"a, b"\n')
    _, page = draw("table", path)
    found = rows_of(page)
    assert found["rows"] == [["</script><b>", "1.10", ""], ["Öl", "20", "a, b"]]
    assert [column["number"] for column in found["columns"]] == [False, True, False]
    assert found["total"] == 2


@pytest.mark.parametrize(
    ("name", "text", "first"),
    [("a.tsv", "x\ty\n1\t2\n", ["1", "2"]), ("a.jsonl", '{"x": 1, "y": [2]}\n', ["1", "[2]"])],
)
def test_table_reads_other_formats(draw, tmp_path, name, text, first):
    (tmp_path / name).write_text(text)
    assert rows_of(draw("table", tmp_path / name)[1])["rows"] == [first]


def test_table_embeds_the_first_rows_and_counts_all(draw, tmp_path):
    path = tmp_path / "long.csv"
    path.write_text("n\n" + "\n".join(map(str, range(5000))))
    found = rows_of(draw("table", path, max_rows=10)[1])
    assert (len(found["rows"]), found["total"]) == (10, 5000)


@pytest.mark.parametrize(
    ("key", "given", "text", "words"),
    [
        ("roc_curve", {}, "a,b\n1,2\n", 'Column "target" is not in the file. Columns found: a, b.'),
        ("roc_curve", {"trueclass": "x"}, "target,score\na,1\nb,0\n", "no row has target == x"),
        ("roc_curve", {}, "target,score\n", "The file has no rows."),
        ("confusion_matrix", {}, "target,b\n1,2\n", 'Column "predicted" is not in the file'),
        ("table", {}, "", "The file is empty."),
    ],
)
def test_data_that_does_not_fit_is_explained(draw, tmp_path, key, given, text, words):
    path = tmp_path / "data.csv"
    path.write_text(text)
    outcome, _ = draw(key, path, **given)
    assert outcome.state == "failed"
    assert words in outcome.message


def test_a_source_that_is_not_there_is_named(draw, tmp_path):
    outcome, _ = draw("table", Path(tmp_path / "none.csv"))
    assert "There is no file at s3://b/data." in outcome.message
