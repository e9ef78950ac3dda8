"""Every reader accepts a column of any type in any place, or fails with one sentence of ours."""

import pytest

from packages.vizkit.tests.readings import read_all

CODE = r"""
import datetime as dt, decimal, traceback
from vizkit import drift, metrics, profile, regression
N = 40
i = list(range(N))
COLUMNS = {
    "int": pl.Series(i), "i128": pl.Series(i, dtype=pl.Int128), "u64": pl.Series([2**63 + n for n in i]),
    "float": pl.Series([n / 7 for n in i]), "f32": pl.Series([n / 7 for n in i], dtype=pl.Float32),
    "decimal": pl.Series([decimal.Decimal(n) / 4 for n in i]), "nan": pl.Series([math.nan] * N),
    "bool": pl.Series([n % 2 == 0 for n in i]), "null": pl.Series([None] * N, dtype=pl.Null),
    "text": pl.Series([f"s{n % 3}" for n in i]), "number": pl.Series([str(n) for n in i]), "empty": pl.Series([""] * N),
    "bytes": pl.Series([b"a%d" % (n % 3) for n in i]),
    "category": pl.Series([f"c{n % 3}" for n in i], dtype=pl.Categorical),
    "numbers": pl.Series([str(n) for n in i], dtype=pl.Categorical),
    "enum": pl.Series([f"c{n % 2}" for n in i], dtype=pl.Enum(["c0", "c1"])),
    "list": pl.Series([[n] for n in i]), "struct": pl.Series([{"a": n} for n in i]),
    "array": pl.Series([[n, 1] for n in i], dtype=pl.Array(pl.Int64, 2)),
    "date": pl.Series([dt.date(2024, 1, 1) + dt.timedelta(n) for n in i]),
    "time": pl.Series([dt.time(n % 24) for n in i]),
    "moment": pl.Series([dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(n) for n in i]),
    "duration": pl.Series([dt.timedelta(n) for n in i]),
}
half = pl.Series([n % 2 for n in i])
part = pl.Series([n / N for n in i])

def sample(**columns):
    pl.DataFrame(columns).write_parquet("s.parquet")
    return profile.read_sample("s.parquet", "", tabular.How(), max_rows=30)[0]

def areas(path):
    found = predictions.read_predictions(path, "", {})
    return [scores.roc(one.truth, one.score, one.weight) for one in found.classes]

def errors_of(path):
    pairs = regression.read_pairs(profile.read_sample(path, "", tabular.How(), max_rows=30)[0])
    return regression.errors(pairs), regression.quantiles(pairs), regression.draw(pairs)

def statistics(path):
    return [compute_statistics(path, "", split_by=by) for by in ("", "b")]

READINGS = {
    "predictions": (areas, {"target": half, "score": part, "weight": part + 1}),
    "counts": (lambda path: counts.read_counts(path, "", {}),
               {"actual": half, "predicted": half, "count": pl.Series(i)}),
    "curves": (lambda path: history.read(path, "", {}),
               {"step": pl.Series(i), "loss": part, "loss_std": part, "note": part}),
    "importances": (lambda path: importances.read(path, "", {}),
                    {"feature": pl.Series([f"f{n}" for n in i]), "importance": part, "importance_std": part}),
    "points": (lambda path: metrics.points(path, "", {}), {"fpr": part, "tpr": part, "thresholds": 1 - part}),
    "regression": (errors_of, {"target": part, "prediction": part}),
    "statistics": (statistics, {"a": part, "b": half}),
    "summary": (summary_of, {"a": part, "b": half}),
}

def fault(read, *given):
    try:
        read(*given)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1].filename
        if type(error) is not ValueError or "vizkit" not in place:
            return [f"{type(error).__name__}: {error}"[:200]]
    return []

answer = []
for kind, column in COLUMNS.items():
    for reading, (read, columns) in READINGS.items():
        for role in columns:
            pl.DataFrame({**columns, role: column}).write_parquet("a.parquet")
            answer += [[reading, role, kind, each] for each in fault(read, "a.parquet")]
    for other, second in COLUMNS.items():
        answer += [["drift", other, kind, each] for each in fault(
            lambda: drift.compare(sample(a=column), sample(a=second)))]
"""


@pytest.mark.slow
def test_every_reader_handles_every_column_type(tmp_path):
    assert read_all(tmp_path, CODE) == []


def test_categorical_texts_are_read_as_numbers(tmp_path):
    found = read_all(
        tmp_path,
        """
rows = pl.DataFrame({"step": [1, 2, 3], "loss": ["0.5", "0.25", "x"], "raw": [b"1", b"2", b"3"]})
rows.with_columns(pl.col("loss").cast(pl.Categorical)).write_parquet("a.parquet")
answer = curves_of("a.parquet")""",
    )
    # A step with an unreadable value has no value, and counts as lost.
    assert found["curves"] == {"loss training": [[1.0, 2.0], [0.5, 0.25], 1, None]}
    assert any("raw" in note for note in found["notes"])
