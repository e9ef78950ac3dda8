"""Column figures of every data file in the libraries of `base` equal those of pandas."""

import math

import pytest

from packages.vizkit.tests.readings import read_all

READ = """
import glob, os, warnings
import sklearn
warnings.simplefilter("ignore")
root = os.path.dirname(os.path.dirname(sklearn.__file__))
MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "<NA>"]

def theirs(path):
    if path.endswith((".csv", ".csv.gz")):
        return pd.read_csv(path, keep_default_na=False, na_values=MISSING)
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    return pd.read_orc(path) if path.endswith(".orc") else pd.read_feather(path)

def of_pandas(column):
    there = column.dropna()
    distinct = None
    if not there.map(lambda value: isinstance(value, list | dict | bytes | np.ndarray)).any():
        distinct = int(there.nunique())
    if not pd.api.types.is_numeric_dtype(column) or column.dtype == bool or not len(there):
        return [int(column.isna().sum()), distinct]
    finite = there[np.isfinite(there.astype(float))]
    return [int(column.isna().sum()), distinct, *(float(each) for each in (finite.min(), finite.max(), finite.mean()))]

answer = {}
for ending in ("csv", "csv.gz", "parquet", "orc", "feather"):
    for path in glob.glob(f"{root}/**/*.{ending}", recursive=True):
        frame = theirs(path)
        table = tabular.read(path)
        if list(map(str, frame.columns)) != table.names or not len(frame):
            continue  # Ours has no header where pandas takes values for one: that is tested elsewhere.
        found = summaries.summarize(table, table.names)
        ours = {each.name: [each.missing, each.distinct, each.low, each.high, each.mean] for each in found}
        both = {str(name): [of_pandas(frame[name]), ours[str(name)]] for name in frame}
        answer[path[len(root):]] = [len(frame), table.total, both]
answer = json.loads(json.dumps(answer).replace("NaN", "null"))
"""


@pytest.mark.slow
def test_figures_of_shipped_data_match_pandas(tmp_path):
    found = read_all(tmp_path, READ)
    assert len(found) >= 30, sorted(found)
    for path, (rows, total, columns) in found.items():
        assert total == rows, path
        for name, (theirs, ours) in columns.items():
            assert ours[0] == theirs[0], (path, name, "missing")
            assert theirs[1] is None or ours[1] in {theirs[1], None}, (path, name, "distinct")
            if len(theirs) > 2:
                for one, other in zip(map(float, ours[2:]), theirs[2:], strict=True):
                    assert math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12), (path, name, ours, theirs)
