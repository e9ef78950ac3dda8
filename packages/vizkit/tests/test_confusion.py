"""Counts and figures of confusion matrices equal scikit-learn's."""

import json
import random
import re

import pytest

from packages.vizkit.tests.drawn import drawn, notes_of, specs
from packages.vizkit.tests.examples_curves import predictions
from packages.vizkit.tests.independent import compute

pytestmark = pytest.mark.kernel

READ = """
import pandas as pd
from sklearn import metrics
rows = pd.read_csv({path!r}, dtype=str)
labels = sorted(set(rows.target))
matrix = metrics.confusion_matrix(rows.target, rows.predicted, labels=labels)
each = metrics.precision_recall_fscore_support(rows.target, rows.predicted, labels=labels, zero_division=0)
means = [metrics.precision_recall_fscore_support(rows.target, rows.predicted, average=how, zero_division=0)[:3]
         for how in ("macro", "weighted")]
answer = [labels, matrix.tolist(), [column.tolist() for column in each], means,
          metrics.accuracy_score(rows.target, rows.predicted)]
"""


def cells(page):
    """Returns the counts of the first matrix, by row."""
    spec = specs(page)[0]
    labels = spec["encoding"]["x"]["scale"]["domain"]
    at = {(each["true"], each["predicted"]): each["rows"] for each in spec["data"]["values"]}
    return [[at[true, predicted] for predicted in labels] for true in labels]


def lines(page, caption):
    body = re.search(rf"<caption>{caption}.*?<tbody>(.*?)</tbody>", page, re.DOTALL)[1]
    return [re.findall(r"<td>(.*?)</td>", row) for row in body.split("</tr>") if row]


@pytest.mark.parametrize("name", ["breast_cancer", "iris", "wine", "digits"])
def test_counts_and_figures_match_scikit_learn(draw, tmp_path, name):
    path = predictions(tmp_path, name)
    labels, matrix, (precision, recall, f1, support), means, accuracy = compute("base", READ.format(path=str(path)))
    page = drawn(draw, "confusion_matrix", path)
    assert cells(page) == matrix
    assert f"<b>{accuracy:.1%}</b>" in page
    found = lines(page, "Figures by class")
    assert found[:-2] == [
        [label, *(f"{each:.1%}" for each in figures), f"{count:,}"]
        for label, *figures, count in zip(labels, precision, recall, f1, support, strict=True)
    ]
    for line, values in zip(found[-2:], means, strict=True):
        assert line[1:4] == [f"{value:.1%}" for value in values]


@pytest.mark.parametrize("name", ["breast_cancer", "digits"])
def test_balanced_accuracy_and_mcc_match_scikit_learn(draw, tmp_path, name):
    path = predictions(tmp_path, name)
    balanced, matthews = compute(
        "base",
        f"import pandas as pd\nfrom sklearn import metrics\nrows = pd.read_csv({str(path)!r}, dtype=str)\n"
        "pair = rows.target, rows.predicted\n"
        "answer = [metrics.balanced_accuracy_score(*pair), metrics.matthews_corrcoef(*pair)]",
    )
    page = drawn(draw, "confusion_matrix", path)
    assert f"<dt>Balanced accuracy</dt><dd>{balanced:.4f}</dd>" in page
    assert f"<dt>Matthews correlation (MCC)</dt><dd>{matthews:.4f}</dd>" in page


@pytest.mark.parametrize(("how", "axis"), [("true", "row"), ("predicted", "column"), ("all", "all")])
def test_shares_are_normalized_as_requested(draw, tmp_path, how, axis):
    (tmp_path / "cm.csv").write_text("a,a,6\na,b,2\nb,a,3\nb,b,9\n")
    page = drawn(draw, "confusion_matrix", tmp_path / "cm.csv", normalize=how)
    whole = {"row": 8, "column": 9, "all": 20}[axis]
    (cell,) = [each for each in specs(page)[0]["data"]["values"] if each["rows"] == 6]
    assert cell["share"] == pytest.approx(6 / whole, abs=1e-6)


def test_each_slice_has_its_own_matrix(draw, tmp_path):
    matrix = {
        "annotationSpecs": [{"displayName": "<b>"}, {"displayName": "dog"}],
        "rows": [{"row": [3, 1]}, {"row": [0, 4]}],
    }
    each = {"sliceClassificationMetrics": {"confusionMatrix": matrix}}
    (tmp_path / "m.json").write_text(
        json.dumps({"evaluationSlices": [{"slice": "s1", **each}, {"slice": "s2", **each}]})
    )
    page = drawn(draw, "confusion_matrix", tmp_path / "m.json")
    assert cells(page) == [[3, 1], [0, 4]]
    assert page.count("<h2>s") == 2
    assert "<b>" not in page.partition("Figures by class")[2].partition("</table>")[0]
    assert "&lt;b&gt;" in page


def test_labels_select_and_order_classes_and_other_rows_are_counted(draw, tmp_path):
    (tmp_path / "a.csv").write_text("target,predicted\nx,y\ny,y\nz,x\n")
    page = drawn(draw, "confusion_matrix", tmp_path / "a.csv", labels=["y", "x"])
    assert cells(page) == [[1, 0], [1, 0]]
    assert notes_of(page) == ["1 row of other classes is left out."]


def test_numeric_classes_are_sorted_as_numbers(draw, tmp_path):
    (tmp_path / "a.csv").write_text("target,predicted\n10,10\n9,10\n")
    assert cells(drawn(draw, "confusion_matrix", tmp_path / "a.csv")) == [[0, 1], [0, 1]]


@pytest.mark.browser
def test_100_classes_are_a_heat_map_that_is_readable_by_keyboard(draw, opened, tmp_path):
    dice = random.Random(1)
    rows = [(n % 100, n % 100 if dice.random() < 0.9 else dice.randrange(100)) for n in range(5000)]
    rows += [(7, 8)] * 300
    (tmp_path / "a.csv").write_text("target,predicted\n" + "\n".join(f"class {a:02},class {b:02}" for a, b in rows))
    page = drawn(draw, "confusion_matrix", tmp_path / "a.csv")
    count = rows.count((7, 8))
    assert lines(page, "Most frequent confusions")[0][:3] == ["class 07", "class 08", str(count)]
    assert len(lines(page, "Figures by class")) == 102
    found = opened(page, width=390)
    found.page.wait_for_selector(".vk-figure[data-painted]")
    found.page.locator(".vk-plot").focus()
    # The largest cell comes first.
    found.page.keyboard.press("Home")
    said = found.page.locator(".vk-figure [role=status]")
    assert f"True class 07, Predicted class 08, Rows {count}," in said.text_content()
    assert (found.faults, found.axe()) == ([], [])
    assert found.page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    ("text", "given", "words"),
    [
        ("target,predicted\na,b\n", {"labels": ["q"]}, "None of the labels is in the file. Classes found: a, b."),
        ("target,predicted,n\na,b,-1\n", {"count_column": "n"}, "contains values that are not counts"),
        ("target,predicted\n", {}, "The file has no rows."),
        ('{"confusionMatrix": {"annotationSpecs": [{}], "rows": []}}', {}, "not a square of counts"),
        ('{"confidenceMetrics": []}', {}, "hold no confusion matrix"),
    ],
)
def test_invalid_input_is_explained(draw, tmp_path, text, given, words):
    (tmp_path / "a").write_text(text)
    outcome, _ = draw("confusion_matrix", tmp_path / "a", **given)
    assert outcome.state == "failed"
    assert words in outcome.message
