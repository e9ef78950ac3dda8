"""Examples of statistics, schema, anomalies and evaluations, which TFDV and TFMA wrote from plotly's tips."""

import shutil
import tempfile
from pathlib import Path

from packages.vizkit.tests.independent import compute

WRITTEN = Path(__file__).with_name("written")
TIPS = """
import csv, gzip, pathlib, plotly
source = pathlib.Path(plotly.__file__).parent / "package_data/datasets/tips.csv.gz"
text = gzip.decompress(source.read_bytes()).decode()
pathlib.Path("tips.csv").write_text(text)
lines = text.splitlines(keepends=True)
answer = None
"""
SPLITS = """
import tensorflow_data_validation as tfdv
for split, part in (("train", lines[1:181]), ("eval", lines[181:])):
    pathlib.Path(f"{split}.csv").write_text(lines[0] + "".join(part))
    folder = pathlib.Path("statistics", f"Split-{split}")
    folder.mkdir(parents=True)
    found = tfdv.generate_statistics_from_csv(f"{split}.csv")
    (folder / "FeatureStats.pb").write_bytes(found.SerializeToString())
"""
SCHEMA = """
train = tfdv.load_stats_binary("statistics/Split-train/FeatureStats.pb")
other = tfdv.load_stats_binary("statistics/Split-eval/FeatureStats.pb")
schema = tfdv.infer_schema(train)
tfdv.get_domain(schema, "day").value.remove("Sun")
tfdv.get_feature(schema, "tip").drift_comparator.jensen_shannon_divergence.threshold = 0.01
pathlib.Path("schema").mkdir()
tfdv.write_schema_text(schema, "schema/schema.pbtxt")
folder = pathlib.Path("anomalies", "Split-eval")
folder.mkdir(parents=True)
found = tfdv.validate_statistics(other, schema, previous_statistics=train)
(folder / "SchemaDiff.pb").write_bytes(found.SerializeToString())
answer = None
"""
RECORDS = """
import tensorflow as tf
def example(row):
    bill = tf.train.Feature(float_list=tf.train.FloatList(value=[float(row["total_bill"])]))
    day = tf.train.Feature(bytes_list=tf.train.BytesList(value=[row["day"].encode()]))
    seats = tf.train.Feature(int64_list=tf.train.Int64List(value=range(int(row["size"]))))
    features = tf.train.Features(feature={"total_bill": bill, "day": day, "seats": seats})
    return tf.train.Example(features=features).SerializeToString()
rows = list(csv.DictReader(lines))
for split, part in (("train", rows[:180]), ("eval", rows[180:])):
    folder = pathlib.Path("examples", f"Split-{split}")
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "data_tfrecord-00000-of-00001.gz"), "GZIP") as writer:
        for row in part:
            writer.write(example(row))
answer = None
"""
PREDICTIONS = """
import io
import numpy as np, pandas as pd, tensorflow_model_analysis as tfma
from google.protobuf import text_format
tips = pd.read_csv(io.StringIO(text))
tips["label"] = (tips.tip > 0.15 * tips.total_bill).astype(float)
dice = np.random.default_rng(0)
for name, skill in (("forest", 0.3), ("logistic", 0.5)):
    tips[name] = np.clip(0.5 + skill * (tips.label - 0.5) + dice.normal(0, 0.2, len(tips)), 0, 1)
"""
EVALUATION = """
config = text_format.Parse('''
  model_specs { name: "forest" label_key: "label" prediction_key: "forest" }
  model_specs { name: "logistic" label_key: "label" prediction_key: "logistic" }
  metrics_specs {
    metrics { class_name: "ExampleCount" }
    metrics { class_name: "AUC" threshold { value_threshold { lower_bound { value: 0.9 } } } }
    metrics { class_name: "BinaryAccuracy" }
  }
  slicing_specs {}
  slicing_specs { feature_keys: "day" }
  slicing_specs { feature_keys: "sex" feature_keys: "smoker" }
  options { compute_confidence_intervals { value: true } confidence_intervals { method: JACKKNIFE } }
''', tfma.EvalConfig())
tfma.analyze_raw_data(tips, config, output_path="evaluation")
answer = None
"""
# Writes the input of Kubeflow's own TFDV and TFMA types into the current directory: stats.tfrecord and evaluation/.
KUBEFLOW_DATA = """
import numpy as np, pandas as pd, tensorflow as tf
import tensorflow_data_validation as tfdv, tensorflow_model_analysis as tfma
dice = np.random.default_rng(1)
frame = pd.DataFrame({"label": (dice.random(300) > .5).astype(float), "prediction": dice.random(300),
                      "kind": dice.choice(["a", "b"], 300)})
with tf.io.TFRecordWriter("stats.tfrecord") as writer:
    writer.write(tfdv.generate_statistics_from_dataframe(frame).SerializeToString())
config = tfma.EvalConfig(
    model_specs=[tfma.ModelSpec(label_key="label", prediction_key="prediction")],
    slicing_specs=[tfma.SlicingSpec(), tfma.SlicingSpec(feature_keys=["kind"])],
    metrics_specs=[tfma.MetricsSpec(metrics=[tfma.MetricConfig(class_name="ExampleCount")])])
tfma.analyze_raw_data(frame, config, output_path="evaluation")
"""


def _copied(name, **given):
    """Returns an example from `written/`. Writing it takes minutes, and tests of figures write their own files."""

    def example(folder):
        shutil.copytree(WRITTEN / name, folder / name)
        return folder / name, given

    return example


EXAMPLES = {
    "tfdv": _copied("statistics"),
    "tfdv_raw": _copied("examples", show_schema=True),
    "tf_schema": _copied("schema"),
    "tf_anomalies": _copied("anomalies"),
    "tfma": _copied("evaluation", slicing_column="day"),
}


def main():
    """Writes the files again: `python -m packages.vizkit.tests.examples_tfx`."""
    code = f"{TIPS}{SPLITS}{SCHEMA}{RECORDS}{PREDICTIONS}{EVALUATION}"
    with tempfile.TemporaryDirectory() as folder:
        compute("tfx", code, folder)
        for name in ("statistics", "schema", "anomalies", "examples", "evaluation"):
            shutil.rmtree(WRITTEN / name, ignore_errors=True)
            shutil.copytree(Path(folder, name), WRITTEN / name)


if __name__ == "__main__":
    main()
