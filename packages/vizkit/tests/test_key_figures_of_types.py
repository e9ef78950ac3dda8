"""Test `vizkit.figure`, and that predefined types store correct figures with declared names."""

import random

import pytest
import vizkit
from vizkit.types import registry

from packages.vizkit.tests.examples import all_examples
from packages.vizkit.tests.independent import compute

# The names of these types' figures come from the data.
NAMED_BY_DATA = {"learning_curves", "tfma", "custom", "notebook", "html", "markdown", "vega_lite"}
CUSTOM = "custom"
EXPECTED = """
from sklearn import metrics as m
answer = {
    "auc": m.roc_auc_score(r.target, r.score),
    "average_precision": m.average_precision_score(r.target, r.score),
    "prevalence": r.target.mean(),
    "brier": m.brier_score_loss(r.target, r.score),
    "accuracy": m.accuracy_score(r.target, r.guess),
    "macro_f1": m.f1_score(r.target, r.guess, average="macro"),
    "rows": 400,
}
"""


def values(outcome):
    return {each.name: each.value for each in outcome.figures}


@pytest.mark.parametrize("value", [True, "1", [1], object(), 1j])
def test_value_that_is_not_a_number_is_refused(value):
    with pytest.raises(ValueError, match=r'The key figure "auc" must be (a|one) number'):
        vizkit.figure("auc", value)


@pytest.mark.parametrize(
    ("given", "words"),
    [(("", 1), "name"), (("a\nb", 1), "name"), (("n" * 101, 1), "name"), ((1, 1), "name"), (("a", 1, "u" * 21), "unit"),
     (("a", 1, "", "best"), "higher, lower or none")],
)  # fmt: skip
def test_invalid_name_unit_or_direction_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        vizkit.figure(*given)


@pytest.mark.kernel
def test_custom_code_stores_figures(draw):
    code = (
        "import vizkit, numpy, decimal\n"
        "vizkit.figure('loss', numpy.float32(0.5), 'nats', better='lower')\n"
        "vizkit.figure('n', numpy.int64(3)); vizkit.figure('d', decimal.Decimal('1.25')); vizkit.figure('none', None)\n"
        "vizkit.figure('bad', float('nan')); vizkit.figure('huge', 10**400)"
    )
    outcome, page = draw(CUSTOM, code=code)
    assert outcome.state == "succeeded", outcome.traceback
    refused, _ = draw(CUSTOM, code="import vizkit, numpy; vizkit.figure('a', numpy.array([1.0]))")
    assert refused.message == 'The key figure "a" must be one number, not ndarray.'
    refused, _ = draw(CUSTOM, code="import vizkit, numpy; vizkit.figure('a', numpy.bool_(True))")
    assert refused.message == 'The key figure "a" must be one number, not bool.'
    shown = [(each.name, each.value, each.unit, each.better) for each in outcome.figures]
    assert shown == [("loss", 0.5, "nats", "lower"), ("n", 3.0, "", ""), ("d", 1.25, "", "")]
    assert "The key figure &quot;bad&quot; is nan and was not stored." in page
    assert "The key figure &quot;huge&quot; is inf and was not stored." in page


@pytest.mark.kernel
def test_figures_of_scores_match_scikit_learn(draw, tmp_path):
    chance = random.Random(7)
    truth = [chance.randrange(2) for _ in range(400)]
    scores = [0.3 * each + 0.7 * chance.random() for each in truth]
    lines = [f"{label},{score!r},{int(score > 0.5)}" for label, score in zip(truth, scores, strict=True)]
    path = tmp_path / "predictions.csv"
    path.write_text("\n".join(["target,score,guess", *lines]))
    expected = compute("base", f"import pandas\nr = pandas.read_csv({str(path)!r})\n" + EXPECTED)
    given = {"target_column": "target", "trueclass": "1", "true_score_column": "score"}
    found = values(draw("roc_curve", path, **given)[0])
    found |= values(draw("precision_recall", path, **given)[0]) | values(draw("calibration", path, **given)[0])
    found |= values(draw("confusion_matrix", path, target_column="target", predicted_column="guess")[0])
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert values(draw("table", path)[0]) == {"rows": 400, "columns": 3}


@pytest.mark.kernel
def test_learning_curves_store_last_and_best_values(draw, tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,loss,val_accuracy\n1,3,0.1\n2,1,0.9\n3,2,0.4\n")
    outcome, _ = draw("learning_curves", path)
    assert {(each.name, each.value, each.better) for each in outcome.figures} == {
        ("loss (training)", 2.0, "lower"),
        ("best loss (training)", 1.0, "lower"),
        ("accuracy (validation)", 0.4, "higher"),
        ("best accuracy (validation)", 0.9, "higher"),
    }


@pytest.mark.kernel
@pytest.mark.parametrize("key", sorted(set(registry.types()) - NAMED_BY_DATA))
def test_type_stores_only_figures_that_its_header_declares(draw, tmp_path, key):
    folder = tmp_path / "example"
    folder.mkdir()
    source, given = all_examples()[key](folder)
    outcome, _ = draw(key, source, **given)
    assert outcome.state == "succeeded", outcome.traceback
    assert values(outcome), "no key figure"
    assert set(values(outcome)) <= {each.name for each in registry.get(key).figures}
