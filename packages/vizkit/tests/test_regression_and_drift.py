"""Figures of regression, drift and the data profile's alerts equal those of scikit-learn, scipy and pandas."""

import re

import pytest

from packages.vizkit.tests.examples_numbers import diabetes, wine
from packages.vizkit.tests.independent import compute

pytestmark = pytest.mark.kernel
ERRORS = """
import pandas as pd
from sklearn import metrics as m
rows = pd.read_csv("diabetes.csv").dropna()
t, p = rows.iloc[:, 0], rows.iloc[:, 1]
answer = {"mae": m.mean_absolute_error(t, p), "rmse": m.root_mean_squared_error(t, p), "r2": m.r2_score(t, p),
    "median_absolute_error": m.median_absolute_error(t, p), "bias": (p - t).mean(), "rows": len(rows)}
"""
MEASURES = """
import numpy as np, pandas as pd
from scipy import stats
from scipy.spatial.distance import jensenshannon
one, other = pd.read_csv("train.csv"), pd.read_csv("serving.csv")
answer = {}
for name in one.columns:
    if name == "kind":
        names = sorted(set(one[name]) | set(other[name]))
        counts = [frame[name].value_counts(normalize=True) for frame in (one, other)]
        shares = [each.reindex(names, fill_value=0).to_numpy() for each in counts]
        ks = None
    else:
        edges = np.unique(np.quantile(one[name], np.arange(1, 10) / 10))
        bins = [-np.inf, *edges, np.inf]
        cut = [pd.cut(frame[name], bins).value_counts(sort=False, normalize=True) for frame in (one, other)]
        shares, ks = [each.to_numpy() for each in cut], stats.ks_2samp(one[name], other[name]).statistic
    floored = [np.maximum(each, 1e-4) for each in shares]
    psi = sum(float((a * np.log(a / b)).sum()) for a, b in (floored, floored[::-1]))
    answer[name] = [psi, ks, float(jensenshannon(*shares, base=2))]
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "source"
    made.mkdir()
    return made


def values(outcome):
    assert outcome.state == "succeeded", outcome.message
    return {each.name: each.value for each in outcome.figures}


def table_of(page, caption):
    """Returns the cells of a page's table as text."""
    found = re.search(rf"<caption>{caption}</caption>.*?<tbody>(.*?)</tbody>", page, re.DOTALL)[1]
    return [re.findall(r"<td>(.*?)</td>", row) for row in found.split("</tr>") if row]


def test_regression_errors_match_scikit_learn(draw, tmp_path):
    source, _ = diabetes(tmp_path)
    expected = compute("base", ERRORS, tmp_path)
    outcome, page = draw("regression", source)
    assert values(outcome) == pytest.approx(expected, rel=1e-9)
    assert f"MAE {expected['mae']:.4g}" in page


def test_rows_without_a_number_are_omitted_and_counted(draw, tmp_path):
    path = tmp_path / "diabetes.csv"
    path.write_text("y_true,y_pred,sample_weight\n1,2,9\n2,,9\n,3,9\n4,4,9\n")
    outcome, page = draw("regression", path)
    assert values(outcome) == pytest.approx(compute("base", ERRORS, tmp_path), rel=1e-9)
    assert "2 rows without one of the numbers are left out." in page
    assert "The weights in sample_weight are not used." in page


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "Name it. Columns found: a (number, such as 1), b (number, such as 2)."),
        ("target,prediction\n1,x\n", 'Column "prediction" holds no numbers, but values such as x.'),
        ("target,prediction\n1,\n,2\n", 'No row has a number in both "target" and "prediction".'),
    ],
)
def test_invalid_columns_are_explained(draw, tmp_path, text, words):
    (tmp_path / "rows.csv").write_text(text)
    outcome, _ = draw("regression", tmp_path / "rows.csv")
    assert outcome.message.endswith(words)


def test_r2_of_a_constant_truth_is_not_defined(draw, tmp_path):
    (tmp_path / "rows.csv").write_text("target,prediction\n1,1\n1,2\n")
    outcome, page = draw("regression", tmp_path / "rows.csv")
    assert "r2" not in values(outcome)
    assert "undefined: the true values are constant" in page


def test_drift_measures_match_scipy(draw, folder):
    source, _ = wine(folder)
    expected = compute("base", MEASURES, folder)
    outcome, page = draw("drift", source)
    found = values(outcome)
    assert found["max_psi"] == pytest.approx(max(psi for psi, _, _ in expected.values()), rel=1e-9)
    assert found["drifted_columns"] == sum(psi > 0.2 for psi, _, _ in expected.values())
    assert (found["columns"], found["baseline_rows"], found["current_rows"]) == (14, 130, 119)
    rows = table_of(page, "Measures by column")
    assert {row[0]: row[1:4] for row in rows} == {
        name: [f"{psi:.4g}", f"{ks:.4g}" if ks is not None else "", f"{js:.4g}"]
        for name, (psi, ks, js) in expected.items()
    }


def test_one_file_can_be_split_by_a_column(draw, tmp_path):
    lines = [f"train,{n % 10},a" for n in range(50)] + [f"eval,{n % 10},a" for n in range(50)]
    (tmp_path / "rows.csv").write_text("\n".join(["split,value,same", *lines, ",1,a"]))
    outcome, page = draw("drift", tmp_path / "rows.csv")
    assert values(outcome)["max_psi"] == 0
    assert "0 of 2 columns drifted" in page
    assert "1 row without a value of split is left out." in page


def test_columns_that_cannot_be_compared_have_a_reason(draw, folder):
    (folder / "a.csv").write_text("x,gone,empty\n1,1,\n2,2,\n")
    (folder / "b.csv").write_text("x,new,empty\n1,1,5\n9,2,6\n")
    outcome, page = draw("drift", folder)
    assert values(outcome)["columns"] == 1
    reasons = {row[0]: row[-1] for row in table_of(page, "Measures by column")}
    assert reasons["gone"] == "not in the current data"
    assert reasons["new"] == "not in the baseline"
    assert reasons["empty"] == "no values in one of the data sets"


def test_more_than_two_data_sets_are_refused_by_name(draw, folder):
    for name in "abc":
        (folder / f"{name}.csv").write_text("x\n1\n")
    outcome, _ = draw("drift", folder)
    assert outcome.message == "Drift compares two data sets, but 3 were found: a.csv, b.csv, c.csv."


def test_alerts_of_a_profile_match_pandas(draw, tmp_path):
    lines = [f"{n},{n * 2 + (n % 3) * 0.01},same,{'x' if n < 3 else ''},{n % 4}" for n in range(40)]
    (tmp_path / "rows.csv").write_text("\n".join(["id,twice,constant,rare,group", *lines, lines[0], lines[1]]))
    expected = compute(
        "base",
        "import pandas as pd\nr = pd.read_csv('rows.csv')\n"
        "answer = [int(r.duplicated().sum()), float(r.isna().to_numpy().mean()), r.id.corr(r.twice)]",
        tmp_path,
    )
    outcome, page = draw("data_profile", tmp_path / "rows.csv")
    assert values(outcome)["duplicate_rows"] == expected[0] == 2
    assert values(outcome)["missing_share"] == pytest.approx(expected[1])
    found = [tuple(row) for row in table_of(page, "Alerts")]
    assert {(kind, column) for kind, column, _ in found} == {
        ("Duplicate rows", ""),
        ("Nearly unique", "id"),
        ("Constant column", "constant"),
        ("Mostly missing", "rare"),
        ("Constant column", "rare"),
        ("Highly correlated", "id, twice"),
    }
    assert f"correlation is {expected[2]:.4f}" in page
