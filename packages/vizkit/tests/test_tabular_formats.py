"""Every type that reads tables gives the same figures in 25 formats, and they equal scikit-learn's."""

import pytest

from packages.vizkit.tests.readings import read_all

WRITE = """
from sklearn import datasets, linear_model, metrics, model_selection, pipeline, preprocessing
import bz2, gzip, lzma, zipfile
import pyarrow as pa
from pyarrow import orc, parquet
data = datasets.load_breast_cancer()
model = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression(C=0.001))
score = model_selection.cross_val_predict(model, data.data, data.target, cv=5, method="predict_proba")[:, 1]
frame = pd.DataFrame({
    "step": np.arange(len(score)), "target": data.target, "predicted": (score > 0.5).astype(int),
    "score": score, "loss": np.round(1 / (1 + np.arange(len(score))), 6),
    "word": [f"wörd {n % 40}, a" for n in range(len(score))],
})
small = pd.DataFrame({"feature": ["age", "sex", "bmi"], "importance": [0.5, -0.25, 0.125]})

def write(frame, stem):
    text = frame.to_csv(index=False)
    made = {
        "csv": text.encode(), "tsv": frame.to_csv(index=False, sep="\\t").encode(),
        "semicolon.csv": frame.to_csv(index=False, sep=";", decimal=",").encode(),
        "bar.csv": frame.to_csv(index=False, sep="|").encode(), "bom.csv": text.encode("utf-8-sig"),
        "utf16.csv": text.encode("utf-16"), "cp1252.csv": text.encode("cp1252"),
        "cr.csv": text.replace("\\n", "\\r").encode(), "crlf.csv": text.replace("\\n", "\\r\\n").encode(),
        "csv.gz": gzip.compress(text.encode()), "csv.bz2": bz2.compress(text.encode()),
        "csv.xz": lzma.compress(text.encode()),
        "csv.zst": pa.compress(text.encode(), codec="zstd", asbytes=True),
        "jsonl": frame.to_json(orient="records", lines=True, double_precision=15).encode(),
        "records.json": frame.to_json(orient="records", double_precision=15).encode(),
        "columns.json": frame.to_json(double_precision=15).encode(),
        "split.json": frame.to_json(orient="split", double_precision=15).encode(),
    }
    made["jsonl.gz"] = gzip.compress(made["jsonl"])
    for ending, content in made.items():
        pathlib.Path(f"{stem}.{ending}").write_bytes(content)
    with zipfile.ZipFile(f"{stem}.csv.zip", "w") as archive:
        archive.writestr("inner.csv", text)
    frame.to_parquet(f"{stem}.parquet")
    pl.from_pandas(frame).write_ipc(f"{stem}.arrow")
    pl.from_pandas(frame).write_ipc_stream(f"{stem}.stream")
    pl.from_pandas(frame).write_avro(f"{stem}.avro")
    orc.write_table(pa.Table.from_pandas(frame), f"{stem}.orc")
    return [*made, "csv.zip", "parquet", "arrow", "stream", "avro", "orc"]

endings = write(frame, "rows")
write(small, "bars")
"""
READ = """
def number(text):
    return float(text.replace(",", "."))

def figures(ending):
    path = f"rows.{ending}"
    read = predictions.read_predictions(path, "", {"target_column": "target"})
    one = read.classes[0]
    rows = tabular.read(path)
    table = {each.name: each for each in summaries.summarize(rows, rows.names)}
    matrix = counts.read_counts(path, "", {})
    curves = {c.metric: c for c in history.read(path, "", {"metrics": ["loss"]}).curves}
    features = {each.name: each for each in compute_statistics(path)[0].features}
    calibration = scores.calibration(one.truth, one.score, bins=10, strategy="uniform")
    return {
        "table": [rows.total, table["score"].mean, number(table["score"].low), number(table["score"].high),
            table["word"].distinct, table["step"].low, table["step"].high, table["word"].high],
        "profile": [float(rows.collect(["score"])["score"].std())],
        "roc_curve": [scores.roc(one.truth, one.score).area],
        "precision_recall": [scores.precision_recall(one.truth, one.score).area],
        "calibration": [calibration.brier, calibration.counts.tolist()],
        "confusion_matrix": [matrix.labels, matrix.counts.tolist()],
        "learning_curves": [curves["loss"].x.tolist(), curves["loss"].y.tolist()],
        "feature_importance": {bar.name: bar.value for bar in importances.read(f"bars.{ending}", "", {})[0]},
        "tfdv": [features["word"].texts.unique, features["step"].numbers.mean, features["score"].count],
    }

answer = {ending: or_error(figures, ending) for ending in endings}
"""
EXPECTED = """
observed = [int(((score >= low / 10) & (score < (low + 1) / 10)).sum()) for low in range(10)]
answer = {
    "table": [len(frame), float(frame.score.mean()), float(frame.score.min()), float(frame.score.max()), 40, "0",
        str(len(frame) - 1), frame.word.max()],
    "profile": [float(frame.score.std())],
    "roc_curve": [float(metrics.roc_auc_score(frame.target, frame.score))],
    "precision_recall": [float(metrics.average_precision_score(frame.target, frame.score))],
    "calibration": [float(metrics.brier_score_loss(frame.target, frame.score)), [n for n in observed if n]],
    "confusion_matrix": [["0", "1"], metrics.confusion_matrix(frame.target, frame.predicted).tolist()],
    "learning_curves": [frame.step.tolist(), frame.loss.tolist()],
    "feature_importance": dict(zip(small.feature, small.importance)),
    "tfdv": [40, float(frame.step.mean()), len(frame)],
}
"""


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    return read_all(folder, f"{WRITE}{READ}\nfound = answer\n{EXPECTED}\nanswer = [found, answer]")


def flat(value):
    if isinstance(value, dict):
        value = [part for pair in sorted(value.items()) for part in pair]
    return [each for part in value for each in flat(part)] if isinstance(value, list) else [value]


def test_every_type_has_the_same_figures_in_every_format(cells):
    found, expected = cells
    assert len(found) >= 24
    for ending, by_type in found.items():
        assert "error" not in by_type, (ending, by_type)
        for name, values in expected.items():
            ours, theirs = flat(by_type[name]), flat(values)
            assert len(ours) == len(theirs), (ending, name)
            for one, other in zip(ours, theirs, strict=True):
                same = one == pytest.approx(other, rel=1e-6) if isinstance(other, float) else one == other
                assert same, (ending, name, one, other)


DAMAGE = """
import itertools
import polars as pl
frame = pl.DataFrame({"label": [n % 10 for n in range(300)], "word": [f"w{n % 7}" for n in range(300)]})
frame.write_parquet("whole.parquet")
frame.write_ipc("whole.arrow")
frame.write_avro("whole.avro")
answer = []
for kind in ("parquet", "arrow", "avro"):
    whole = pathlib.Path(f"whole.{kind}").read_bytes()
    path = pathlib.Path(f"damaged.{kind}")
    # One bit of every third byte of a small file. Some of other bits have polars end the whole process.
    for bit, place in itertools.product((8, 128), range(0, len(whole), 3)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1:])
        try:
            tabular.read(str(path)).collect()
        except ValueError as error:
            if not str(error).endswith("."):
                answer.append(str(error))
        except BaseException as error:
            answer.append(f"{kind} {place} {type(error)} {error}"[:300])
"""


def test_damaged_columnar_files_are_read_or_reported(tmp_path):
    assert read_all(tmp_path, DAMAGE) == []
