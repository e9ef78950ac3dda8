"""Compare the evaluations that we show for each slice with what the real TFMA loads from the same files."""

import json
import math
import re
import shutil
from dataclasses import replace

import pytest
from vizkit.types import registry

from packages.vizkit.tests.examples_tfx import PREDICTIONS, TIPS, WRITTEN
from packages.vizkit.tests.independent import compute
from packages.vizkit.tests.test_statistics import payload

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

SINGLE = """
single = text_format.Parse('''
  model_specs { label_key: "label" prediction_key: "forest" }
  metrics_specs { metrics { class_name: "ExampleCount" } metrics { class_name: "AUC" }
    metrics { class_name: "ConfusionMatrixAtThresholds" config: '"thresholds": [0.5]' } }
  slicing_specs {}
  slicing_specs { feature_keys: "day" }
''', tfma.EvalConfig())
tfma.analyze_raw_data(tips, single, output_path="several/monday")
tfma.analyze_raw_data(tips[tips.day != "Sun"], single, output_path="several/tuesday")
def told(path, model=None):
    found = tfma.load_eval_result(path, model_name=model).get_metrics_for_all_slices()
    return [[[list(map(str, key)) for key in keys], metrics] for keys, metrics in found.items()]
answer = {
    "forest": told("evaluation", "forest"), "logistic": told("evaluation", "logistic"),
    "monday": told("several/monday"), "tuesday": told("several/tuesday"),
}
"""


PLOTS = """
plots = text_format.Parse('''
  model_specs { label_key: "label" prediction_key: "forest" }
  metrics_specs { metrics { class_name: "ExampleCount" } metrics { class_name: "ConfusionMatrixPlot" }
    metrics { class_name: "CalibrationPlot" }
    metrics { class_name: "ConfusionMatrixAtThresholds" config: '"thresholds": [0.25, 0.5]' } }
  slicing_specs {}
  slicing_specs { feature_keys: "day" }
''', tfma.EvalConfig())
tfma.analyze_raw_data(tips, plots, output_path="plotted")
loaded = {}
for keys, plot in tfma.load_eval_result("plotted").plots:
    loaded[", ".join(": ".join(key) for key in keys)] = [
        [each.get("threshold", 0), each.get("recall", 0), each.get("falsePositiveRate", 0), each.get("precision", 0)]
        for each in plot[""][""]["confusionMatrixAtThresholds"]["matrices"]
    ]
answer = {"loaded": loaded, "rows": list(zip(tips.label.tolist(), tips.forest.tolist(), tips.day.tolist()))}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture(scope="module")
def real(folder):
    """Returns TFMA's own metrics by model. The folder has evaluations that TFMA wrote: one earlier, two now."""
    shutil.copytree(WRITTEN / "evaluation", folder / "evaluation")
    return compute("tfx", TIPS + PREDICTIONS + SINGLE, folder)


def label(keys):
    return ", ".join(f"{name}: {value}" for name, value in keys) or "Overall"


def assert_same(shown, at, expected):
    """Checks that each slice and metric of one model matches TFMA, including the ends of intervals."""
    by_label = {each["label"]: each["values"][at] for each in shown["slices"]}
    compared = 0
    for keys, metrics in expected:
        for name, value in metrics.items():
            if "doubleValue" not in value and "boundedValue" not in value:
                continue
            found = by_label[label(keys)][shown["metrics"].index(name)]
            bounds = value.get("boundedValue", {})
            ends = [bounds[end] for end in ("value", "lowerBound", "upperBound")] if bounds else []
            wanted = ends or [value["doubleValue"]]
            assert len(found) == len(wanted), (keys, name)
            for one, other in zip(found, wanted, strict=True):
                assert math.isclose(one, float(other), rel_tol=1e-12), (keys, name)
            compared += 1
    return compared


def test_every_slice_of_two_models_matches_tfma(draw, folder, real):
    outcome, page = draw("tfma", folder / "evaluation")
    assert outcome.state == "succeeded", outcome.traceback
    shown = payload(page, "evaluation")
    assert shown["models"] == ["forest", "logistic"]
    assert shown["metrics"] == ["auc", "binary_accuracy", "example_count"]
    for at, name in enumerate(shown["models"]):
        assert len(shown["slices"]) == len(real[name]) == 9
        assert assert_same(shown, at, real[name]) >= 9 * 2
    assert "thresholds are not met" in page
    assert "at least 0.9<" in page


def test_several_folders_are_compared(draw, folder, real):
    _, page = draw("tfma", folder / "several")
    shown = payload(page, "evaluation")
    assert shown["models"] == ["monday", "tuesday"]
    assert assert_same(shown, 0, real["monday"]) == 10
    assert assert_same(shown, 1, real["tuesday"]) == 8
    sunday = next(each for each in shown["slices"] if each["label"] == "day: Sun")
    assert sunday["values"][1] == [None, None]
    assert "not shown" not in page
    assert "<caption>Confusion matrices at thresholds</caption>" in page


@pytest.fixture(scope="module")
def plotted(folder):
    """Writes an evaluation with plots. Returns its rows (label, score, day) and TFMA's matrices by slice."""
    return compute("tfx", TIPS + PREDICTIONS + PLOTS, folder)


def charts(page):
    specs = [json.loads(text) for text in re.findall(r'class="vizkit-spec">(.*?)</script>', page, re.DOTALL)]
    return {spec["title"]["text"]: spec["data"]["values"] for spec in specs}


def assert_curves(drawn, matrices):
    """Checks that each point of both curves matches TFMA at the same threshold."""
    known = {round(each[0], 9): each[1:] for each in matrices}
    assert len(drawn["ROC curve"]) > 100
    for row in drawn["ROC curve"]:
        recall, false_rate, _ = known[row["threshold"]]
        assert (row["y"], row["x"]) == pytest.approx((recall, false_rate), abs=1e-6), row
    for row in drawn["Precision and recall"]:
        recall, _, precision = known[row["threshold"]]
        assert (row["x"], row["y"]) == pytest.approx((recall, precision), abs=1e-6), row


def test_plots_match_the_rows(draw, folder, plotted):
    outcome, page = draw("tfma", folder / "plotted")
    assert outcome.state == "succeeded", outcome.traceback
    drawn, rows = charts(page), plotted["rows"]
    assert_curves(drawn, plotted["loaded"][""])
    bins = drawn["Calibration"]
    assert 5 < len(bins) <= 11
    whole = sum(each["rows"] for each in bins)
    assert whole == len(rows)
    for axis, place in (("y", 0), ("x", 1)):
        mean = sum(each[axis] * each["rows"] for each in bins) / whole
        assert mean == pytest.approx(sum(row[place] for row in rows) / len(rows), abs=1e-6)
    listed = re.search(r"<caption>Confusion matrices at thresholds</caption>.*?<tbody>(.*?)</tbody>", page, re.DOTALL)[
        1
    ]
    for text in re.findall(r"<tr>(.*?)</tr>", listed):
        cells = re.findall(r"<td>(.*?)</td>", text)
        hits = sum(label for label, score, _ in rows if score > float(cells[1]))
        assert float(cells[2]) == hits
    assert "Threshold 0." in page


def test_plots_of_slices_are_drawn_with_the_overall_plot(draw, folder, plotted):
    _, page = draw("tfma", folder / "plotted", slicing_column="day")
    drawn = charts(page)["ROC curve"]
    assert {row["series"] for row in drawn} == {"Overall", *(f"day: {day}" for day in ("Fri", "Sat", "Sun", "Thur"))}
    for row in drawn:
        matrices = plotted["loaded"][row["series"].removeprefix("Overall")]
        assert any(
            row["threshold"] == pytest.approx(t) and row["y"] == pytest.approx(r, abs=1e-6) for t, r, *_ in matrices
        )


def test_tfma_plot_view_is_drawn_by_the_toolkit(draw, folder, plotted):
    code = """
import tensorflow_model_analysis as tfma
result = tfma.load_eval_result(source)
tfma.view.render_plot(result)
# %%
tfma.view.render_plot(result, tfma.SlicingSpec(feature_values={"day": "Sun"}))
"""
    kind = replace(registry.get("custom"), environment="tfx")
    outcome, page = draw("custom", folder / "plotted", kind=kind, code=code)
    assert outcome.state == "succeeded", outcome.traceback
    whole, sunday = page.split("<h1")[-1].split("Precision and recall")[0], charts(page)
    assert "ROC curve" in whole
    assert_curves(sunday, plotted["loaded"]["day: Sun"])


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ({"slicing_column": "day"}, ["Overall", "day: Fri", "day: Sat", "day: Sun", "day: Thur"]),
        ({"slicing_column": "smoker, sex", "models": ["forest"]}, ["Overall", "sex: Female, smoker: No"]),
    ],
)
def test_slices_by_a_column(draw, folder, real, given, labels):
    _, page = draw("tfma", folder / "evaluation", **given)
    found = [each["label"] for each in payload(page, "evaluation")["slices"]]
    assert found[: len(labels)] == labels
    assert len(found) == 5


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"slicing_column": "price"}, 'has no slices by "price". It is sliced by: day; sex, smoker.'),
        ({"models": ["oak"]}, 'There is no model "oak". Models found: forest, logistic.'),
    ],
)
def test_unknown_slice_or_model_is_explained(draw, folder, real, given, words):
    outcome, _ = draw("tfma", folder / "evaluation", **given)
    assert outcome.state == "failed"
    assert words in outcome.message


def test_folder_with_damaged_metrics_is_explained(draw, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "metrics-00000-of-00001.tfrecord").write_bytes(b"\x00" * 40)
    outcome, _ = draw("tfma", tmp_path / "empty")
    assert outcome.state == "failed"
    assert outcome.message.startswith("metrics-00000-of-00001.tfrecord is damaged")


def test_folder_without_an_evaluation_is_explained(draw, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    outcome, _ = draw("tfma", folder)
    assert outcome.message.startswith("There is no file named metrics*")
    shutil.copy(WRITTEN / "evaluation" / "eval_config.json", folder)
    outcome, _ = draw("tfma", folder)
    assert outcome.state == "failed"
    assert outcome.message.startswith("There is no evaluation in s3://b/data")


@pytest.mark.parametrize("name", ["validations.tfrecord", "plots-00000-of-00001.tfrecord"])
def test_damaged_file_beside_the_metrics_is_named(draw, tmp_path, name):
    shutil.copytree(WRITTEN / "evaluation", tmp_path / "evaluation")
    path = tmp_path / "evaluation" / name
    content = path.read_bytes()
    # Damage the first record's message, after its length and checksum.
    path.write_bytes(content[:12] + b"\xff" * 40 + content[52:])
    outcome, _ = draw("tfma", tmp_path / "evaluation")
    assert (outcome.state, outcome.message) == ("failed", f"{name} is damaged, or was not written by TFMA.")


def test_tfma_slicing_views_are_drawn_by_the_toolkit(draw, folder, real):
    code = """
import tensorflow_model_analysis as tfma
from IPython.display import display
result = tfma.load_eval_result(source, model_name="forest")
display(tfma.view.render_slicing_metrics(result, slicing_column="day"))
# %%
tfma.view.render_slicing_metrics(result)
# %%
# As Kubeflow's own type has it: of a path.
tfma.view.render_slicing_metrics(source, slicing_column=None)
"""
    kind = replace(registry.get("custom"), environment="tfx")
    outcome, page = draw("custom", folder / "evaluation", kind=kind, code=code)
    assert outcome.state == "succeeded", outcome.traceback
    assert 'class="stderr"' not in page
    parts = page.split('data-vizkit="evaluation"')
    assert len(parts) == 4
    first, second, third = (payload('data-vizkit="evaluation"' + part, "evaluation") for part in parts[1:])
    days = {f"day: {day}" for day in ("Fri", "Sat", "Sun", "Thur")}
    assert {each["label"] for each in first["slices"]} == {"Overall", *days}
    assert [each["label"] for each in second["slices"]] == ["Overall"]
    assert third["models"] == ["forest", "logistic"]
    kept = [each for each in real["forest"] if [name for name, _ in each[0]] in ([], ["day"])]
    assert assert_same(first, 0, kept) >= 10


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width"), [("light", 1000), ("dark", 390)])
def test_slices_can_be_sorted_and_are_accessible(draw, opened, folder, real, theme, width):
    _, page = draw("tfma", folder / "evaluation")
    found = opened(page, theme=theme, width=width, environment="tfx")
    region = found.page.get_by_role("region", name="Slices")
    worst = min((each for each in real["forest"]), key=lambda each: float(each[1]["auc"]["boundedValue"]["value"]))
    button = region.get_by_role("button", name=re.compile("^auc · forest"))
    button.click()
    button.click()
    assert region.locator("tbody tr").first.locator("td").first.inner_text() == label(worst[0])
    head = region.get_by_role("columnheader", name=re.compile("^auc · forest"))
    assert head.get_attribute("aria-sort") == "ascending"
    found.page.get_by_label("Slices by").select_option("day")
    assert region.locator("tbody tr").count() == 4
    found.page.get_by_label("Examples, at least").fill("50")
    assert region.locator("tbody tr").count() == 3
    assert (found.faults, found.axe()) == ([], [])
    assert found.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    found.page.locator(".vk-plot").first.focus()
    found.page.keyboard.press("Home")
    first = region.locator("tbody tr").first.locator("td").first.inner_text()
    assert found.page.get_by_text(f"Slice {first}, forest ").count() == 1
