"""Evaluations: what we show of each slice against what the real TFMA loads of the same files."""

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture(scope="module")
def real(folder):
    """TFMA's own metrics by model, and the evaluations it wrote in the folder: one before, two now."""
    shutil.copytree(WRITTEN / "evaluation", folder / "evaluation")
    return compute("tfx", TIPS + PREDICTIONS + SINGLE, folder)


def label(keys):
    return ", ".join(f"{name}: {value}" for name, value in keys) or "Overall"


def assert_same(shown, at, expected):
    """Each slice and metric of one model is what TFMA says, ends of intervals too."""
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


def test_every_slice_of_two_models_is_tfma_s(draw, folder, real):
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
    assert "Not single numbers, so not shown: confusion_matrix_at_thresholds" in page


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
def test_what_is_not_there_is_said(draw, folder, real, given, words):
    outcome, _ = draw("tfma", folder / "evaluation", **given)
    assert outcome.state == "failed"
    assert words in outcome.message


def test_a_folder_without_an_evaluation_is_said(draw, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "metrics-00000-of-00001.tfrecord").write_bytes(b"\x00" * 40)
    outcome, _ = draw("tfma", tmp_path / "empty")
    assert outcome.state == "failed"
    assert outcome.message.startswith("metrics-00000-of-00001.tfrecord is damaged")


def test_tfma_s_own_views_are_drawn_by_us(draw, folder, real):
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
def test_slices_sort_and_everybody_can_read_them(draw, opened, folder, real, theme, width):
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
