"""Curves and their figures equal those that scikit-learn computes from the same rows."""

import json

import pytest

from packages.vizkit.tests.drawn import curves, drawn, marks, specs
from packages.vizkit.tests.examples_curves import predictions
from packages.vizkit.tests.independent import compute

pytestmark = pytest.mark.kernel

READ = """
import numpy as np, pandas as pd
from sklearn import metrics, calibration
rows = pd.read_csv({path!r})
names = sorted(map(str, rows.target.unique()))
truth = np.array([names.index(str(each)) for each in rows.target])
scores = rows[["score_" + name for name in names]].to_numpy()
last = truth == len(names) - 1
"""


def expected(path, code):
    return compute("base", READ.format(path=str(path)) + code)


@pytest.fixture(scope="module", params=["breast_cancer", "iris", "wine", "digits"])
def rows(request, tmp_path_factory):
    return request.param, predictions(tmp_path_factory.mktemp("rows"), request.param)


@pytest.fixture(scope="module")
def cancer(tmp_path_factory):
    return predictions(tmp_path_factory.mktemp("rows"), "breast_cancer")


def test_roc_areas_match_scikit_learn(draw, rows):
    name, path = rows
    page = drawn(draw, "roc_curve", path)
    if name == "breast_cancer":
        area = expected(path, "answer = metrics.roc_auc_score(last, scores[:, -1])")
        assert f"AUC {area:.4f}" in page
        return
    macro, micro, each = expected(
        path,
        "one = np.eye(len(names))[truth]\n"
        "area = lambda how: metrics.roc_auc_score(one, scores, average=how, multi_class='ovr')\n"
        "answer = [area('macro'), area('micro'), area(None).tolist()]",
    )
    assert f"AUC {macro:.4f}" in page
    assert f"<dd>{micro:.4f}</dd>" in page
    assert all(f"<td>{area:.4f}</td>" in page for area in each)


def test_roc_points_match_scikit_learn(draw, cancer):
    fpr, tpr, thresholds = expected(
        cancer,
        "fpr, tpr, at = metrics.roc_curve(last, scores[:, -1], drop_intermediate=False)\n"
        "at[0] = 9e9\nanswer = [fpr.tolist(), tpr.tolist(), at.tolist()]",
    )
    (spec,) = specs(drawn(draw, "roc_curve", cancer))
    (curve,) = curves(spec).values()
    assert curve["x"] == pytest.approx(fpr, abs=1e-6)
    assert curve["y"] == pytest.approx(tpr, abs=1e-6)
    assert curve["threshold"][0] is None
    assert curve["threshold"][1:] == pytest.approx(thresholds[1:], abs=1e-6)
    best = max(range(len(fpr)), key=lambda at: tpr[at] - fpr[at])
    assert marks(spec) == [pytest.approx((fpr[best], tpr[best]), abs=1e-6)]


def test_confidence_limits_of_the_area_match_delong(draw, cancer):
    low, high = expected(
        cancer,
        "yes, no = scores[last, -1], scores[~last, -1]\n"
        "wins = (yes[:, None] > no).astype(float) + 0.5 * (yes[:, None] == no)\n"
        "spread = wins.mean(1).var(ddof=1) / len(yes) + wins.mean(0).var(ddof=1) / len(no)\n"
        "area = metrics.roc_auc_score(last, scores[:, -1])\n"
        "answer = [area - 1.959964 * spread ** 0.5, area + 1.959964 * spread ** 0.5]",
    )
    assert f"<dd>{low:.4f} to {min(1, high):.4f} (DeLong)</dd>" in drawn(draw, "roc_curve", cancer)


@pytest.mark.browser
@pytest.mark.parametrize("key", ["roc_curve", "precision_recall"])
def test_chosen_threshold_shows_its_confusion_matrix_and_cost(draw, opened, cancer, key):
    found = opened(drawn(draw, key, cancer))
    page = found.page
    page.wait_for_selector(".vk-figure[data-painted]")
    chosen = page.locator(".vk-threshold")
    chosen.get_by_label("Cost of a false positive").fill("3")
    slider = chosen.get_by_role("slider", name="Threshold")
    for steps in (0, 40):
        slider.focus()
        for _ in range(steps):
            page.keyboard.press("ArrowRight")
        at = float(slider.get_attribute("aria-valuetext").split()[1])
        matrix, f1, mcc = expected(
            cancer,
            f"guess = scores[:, -1] >= {at} - 1e-7\n"
            "answer = [metrics.confusion_matrix(last, guess).tolist(), metrics.f1_score(last, guess), "
            "metrics.matthews_corrcoef(last, guess)]",
        )
        (spared, wrong), (missed, right) = matrix
        assert chosen.locator("td").all_inner_texts() == [str(each) for each in (right, missed, wrong, spared)]
        told = dict(zip(chosen.locator("dt").all_inner_texts(), chosen.locator("dd").all_inner_texts(), strict=True))
        assert told["F1"] == f"{f1:.4f}"
        assert told["MCC"] == f"{mcc:.4f}"
        assert told["Cost"] == str(3 * wrong + missed)
    assert found.faults == []


def test_average_precision_matches_scikit_learn(draw, rows):
    name, path = rows
    page = drawn(draw, "precision_recall", path)
    if name == "breast_cancer":
        area = expected(path, "answer = metrics.average_precision_score(last, scores[:, -1])")
        assert f"AP {area:.4f}" in page
        return
    macro, micro = expected(
        path,
        "one = np.eye(len(names))[truth]\n"
        "answer = [metrics.average_precision_score(one, scores, average=how) for how in ('macro', 'micro')]",
    )
    assert f"AP {macro:.4f}" in page
    assert f"<dd>{micro:.4f}</dd>" in page


def test_precision_recall_points_and_best_f1_match_scikit_learn(draw, cancer):
    precision, recall = expected(
        cancer,
        "p, r, _ = metrics.precision_recall_curve(last, scores[:, -1])\nanswer = [p[::-1].tolist(), r[::-1].tolist()]",
    )
    page = drawn(draw, "precision_recall", cancer)
    (series,) = curves(specs(page)[0]).values()
    # scikit-learn stops at full recall. Ours continues to the threshold that predicts true for every row.
    assert set(zip(precision, recall, strict=True)) == {
        each
        for each in zip(precision, recall, strict=True)
        if any(
            abs(each[0] - y) < 1e-6 and abs(each[1] - x) < 1e-6 for x, y in zip(series["x"], series["y"], strict=True)
        )
    }
    best = max(2 * p * r / (p + r) for p, r in zip(precision, recall, strict=True) if p + r)
    assert f"<dt>Best F1</dt><dd>{best:.4f}</dd>" in page


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_calibration_matches_scikit_learn(draw, cancer, strategy):
    observed, predicted, brier = expected(
        cancer,
        f"o, p = calibration.calibration_curve(last, scores[:, -1], n_bins=8, strategy={strategy!r})\n"
        "answer = [o.tolist(), p.tolist(), metrics.brier_score_loss(last, scores[:, -1])]",
    )
    page = drawn(draw, "calibration", cancer, bins=8, strategy=strategy)
    curve, histogram = specs(page)
    (series,) = curves(curve).values()
    assert series["x"] == pytest.approx(predicted, abs=1e-6)
    assert series["y"] == pytest.approx(observed, abs=1e-6)
    assert sum(series["rows"]) == 569
    assert f"Brier {brier:.4f}" in page
    error = sum(n * abs(o - p) for n, o, p in zip(series["rows"], observed, predicted, strict=True)) / 569
    assert f"{error:.4f}" in page
    # The last edge is the end of the last bar.
    assert sum(sum(each["y"][:-1]) for each in curves(histogram).values()) == 569


@pytest.mark.parametrize("key", ["roc_curve", "precision_recall", "calibration", "confusion_matrix"])
def test_target_with_only_nan_is_reported_as_empty(draw, tmp_path, key):
    (tmp_path / "a.csv").write_text("target,predicted,score\n" + "NaN,a,0.5\n" * 9)
    outcome = draw(key, tmp_path / "a.csv")[0]
    assert outcome.state == "failed"
    assert "no values" in outcome.message or "No row has both" in outcome.message


def test_calibration_refuses_scores_that_are_not_probabilities(draw, tmp_path):
    (tmp_path / "a.csv").write_text("target,score\na,1\nb,-3\n")
    assert "goes from -3 to 1" in draw("calibration", tmp_path / "a.csv")[0].message


METRICS = {
    "confidenceMetrics": [
        {"confidenceThreshold": None, "recall": 0},
        {"confidenceThreshold": 0.8, "falsePositiveRate": 0.5, "recall": 0.5},
        {"confidenceThreshold": 0.3, "falsePositiveRate": 0.5, "recall": 1},
        {"falsePositiveRate": 1, "recall": 1},
    ]
}


def test_roc_of_a_metrics_artifact(draw, tmp_path):
    (tmp_path / "m.json").write_text(json.dumps(METRICS))
    assert "AUC 0.6250" in drawn(draw, "roc_curve", tmp_path / "m.json")


def test_roc_of_sliced_metrics_has_one_curve_per_slice(draw, tmp_path):
    slices = [{"slice": name, "sliceClassificationMetrics": METRICS} for name in ("day=<Sat>", "day=Sun")]
    (tmp_path / "m.json").write_text(json.dumps({"evaluationSlices": slices}))
    page = drawn(draw, "roc_curve", tmp_path / "m.json")
    assert list(curves(specs(page)[0])) == ["day=<Sat>", "day=Sun"]
    assert "<td>day=&lt;Sat&gt;</td>" in page


@pytest.mark.parametrize("head", ["fpr,tpr,thresholds\n", ""])
def test_roc_of_points_with_and_without_a_header(draw, tmp_path, head):
    (tmp_path / "roc.csv").write_text(f"{head}0,0,inf\n0.5,0.5,0.5\n0.5,1,0.25\n1,1,0\n")
    assert "AUC 0.6250" in drawn(draw, "roc_curve", tmp_path / "roc.csv", is_generated=True)


def test_roc_of_a_kubeflow_folder_of_headerless_files(draw, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "schema.json").write_text('[{"name": "target"}, {"name": "true"}]')
    (folder / "part-0.csv").write_text("true,0.9\nfalse,0.4\n")
    (folder / "part-1.csv").write_text("true,0.3\nfalse,0.1\n")
    assert "AUC 0.7500" in drawn(draw, "roc_curve", folder)


def test_target_operator_replaces_a_lambda(draw, tmp_path):
    (tmp_path / "a.csv").write_text("tips,score\n9,0.9\n6,0.2\n5,0.4\n1,0.1\n")
    given = {"target_column": "tips", "target_operator": ">", "trueclass": "5"}
    assert "AUC 0.7500" in drawn(draw, "roc_curve", tmp_path / "a.csv", **given)


def test_class_columns_with_other_names_follow_the_order_of_the_classes(draw, tmp_path):
    (tmp_path / "a.csv").write_text("target,p,q,r\n0,.9,.1,0\n1,.2,.7,.1\n10,.1,.2,.7\n2,.1,.2,.7\n")
    outcome, _ = draw("roc_curve", tmp_path / "a.csv", class_columns=["p", "q", "r"])
    assert "class_columns names 3 columns" in outcome.message
    (tmp_path / "a.csv").write_text("target,p,q,r\n2,.9,.1,0\n2,.2,.1,.1\n9,.1,.8,.1\n10,.1,.2,.7\n")
    page = drawn(draw, "roc_curve", tmp_path / "a.csv", class_columns=["p", "q", "r"])
    assert "AUC 1.0000" in page


def test_rows_without_target_or_score_are_omitted_and_counted(draw, tmp_path):
    (tmp_path / "a.csv").write_text("target,score\na,1\nb,2\n,3\nb,inf\nb,\n")
    page = drawn(draw, "roc_curve", tmp_path / "a.csv", trueclass="b")
    assert "3 rows without a target or a score" in page


def test_million_rows_are_reduced_to_a_thousand_points(draw, tmp_path):
    path = tmp_path / "many.csv"
    compute(
        "base",
        "import numpy as np\nr = np.random.default_rng(0)\nt = r.random(1_000_000) < .3\n"
        f"np.savetxt({str(path)!r}, np.c_[t, r.normal(t * .5)], '%d,%.6f', header='target,score', comments='')\n"
        "answer = 1",
    )
    page = drawn(draw, "roc_curve", path)
    area = compute(
        "base",
        f"import pandas as pd\nfrom sklearn import metrics\nr = pd.read_csv({str(path)!r})\n"
        "answer = metrics.roc_auc_score(r.target, r.score)",
    )
    assert f"AUC {area:.4f}" in page
    assert len(specs(page)[0]["data"]["values"]) <= 1000
    assert len(page) < 300_000


HOSTILE = '</script><img src=x onerror=alert(1)>\U0001f41f"'


@pytest.mark.browser
def test_names_with_markup_are_escaped(draw, opened, tmp_path):
    header = json.dumps(HOSTILE, ensure_ascii=False).replace('\\"', '""')
    (tmp_path / "log.csv").write_text(f"step,{header}\n1,2\n2,3\n")
    found = opened(drawn(draw, "learning_curves", tmp_path / "log.csv"))
    assert found.faults == []
    assert found.page.locator("img").count() == 0
    assert HOSTILE in found.page.locator("figcaption").inner_text()


@pytest.mark.browser
def test_curve_is_readable_by_keyboard_and_controls_change_it(draw, opened, tmp_path):
    (tmp_path / "h.json").write_text('{"loss": [0.9, 0.5], "val_loss": [0.8, 0.85]}')
    found = opened(drawn(draw, "learning_curves", tmp_path / "h.json"), width=390)
    page, plot = found.page, found.page.locator(".vk-plot")
    page.wait_for_selector(".vk-figure[data-painted]")
    plot.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    said = page.locator(".vk-figure [role=status]")
    assert said.text_content() == "epoch 2, training 0.5, validation 0.85."
    lines = page.locator(".vk-plot svg .mark-line path")
    before = lines.last.get_attribute("d")
    page.get_by_label("Logarithmic scale").check()
    page.wait_for_function(
        "(was) => [...document.querySelectorAll('.vk-plot svg .mark-line path')].at(-1)?.getAttribute('d') !== was",
        arg=before,
    )
    plot.hover()
    assert page.locator(".vk-tip").is_visible()
    # The legend selects a single curve.
    page.locator(".vk-plot svg .role-legend-label text").first.click(force=True)
    plot.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Home")
    assert "validation" not in said.text_content()
    assert found.faults == []
