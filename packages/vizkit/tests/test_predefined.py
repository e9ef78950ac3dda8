"""Compare figures of predefined types with independently computed ones."""

import random
from pathlib import Path

import pytest

from packages.vizkit.tests.drawn import specs

pytestmark = pytest.mark.kernel


@pytest.fixture
def predictions(tmp_path):
    """Writes 300 scored rows with ties, and computes the area under their curve by counting pairs."""
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


def test_roc_area_is_the_share_of_ordered_pairs(draw, predictions):
    path, _, area = predictions
    outcome, page = draw("roc_curve", path, trueclass="tips <well>")
    assert outcome.state == "succeeded"
    assert f"AUC {area:.4f}" in page
    assert "tips &lt;well&gt;" in page


def test_roc_curve_of_precomputed_points(draw, tmp_path):
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
    cells = specs(page)[0]["data"]["values"]
    assert [each["rows"] for each in cells if each["true"] == each["predicted"] == "tips <well>"] == [both]


def test_confusion_matrix_of_kubeflows_headerless_counts(draw, tmp_path):
    path = tmp_path / "cm.csv"
    path.write_text("cat,cat,10\ncat,dog,2\ndog,cat,3\ndog,dog,1234\n")
    _, page = draw("confusion_matrix", path, labels=["dog", "cat"])
    assert [each["rows"] for each in specs(page)[0]["data"]["values"]] == [1234, 3, 2, 10]


@pytest.mark.parametrize(
    ("key", "given", "text", "words"),
    [
        ("roc_curve", {}, "a,b\n1,2\n", 'Column "target" is not in the file. Columns found: a (number, such as 1), b'),
        ("roc_curve", {"trueclass": "x"}, "target,score\na,1\nb,0\n", 'No row of "target" is x.'),
        ("roc_curve", {}, "target,score\n", "The file has no rows."),
        ("confusion_matrix", {}, "target,b\n1,2\n", 'Column "predicted" is not in the file'),
        ("table", {}, "", "The file is empty."),
    ],
)
def test_unsuitable_data_is_explained(draw, tmp_path, key, given, text, words):
    path = tmp_path / "data.csv"
    path.write_text(text)
    outcome, _ = draw(key, path, **given)
    assert outcome.state == "failed"
    assert words in outcome.message


def test_missing_source_is_named(draw, tmp_path):
    outcome, _ = draw("table", Path(tmp_path / "none.csv"))
    assert "There is no file at s3://b/data." in outcome.message


def test_error_about_the_artifacts_path_suggests_source(draw, tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    code = "import pandas as pd\npd.read_csv('/s3/b/data/a.csv')"
    outcome, _ = draw("custom", tmp_path / "a.csv", code=code)
    assert outcome.state == "failed"
    assert outcome.message.endswith("This is the chosen artifact: in a render its files are at the path in `source`.")
