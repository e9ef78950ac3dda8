# /// script
# requires-python = ">=3.11"
# dependencies = ["tensorflow-metadata"]
# [tool.vizportal]
# key = "tf_anomalies"
# title = "Data anomalies (TFDV)"
# description = "Anomalies that TensorFlow Data Validation found in a data set: feature, severity, description, drift and skew."
# artifact_types = ["ExampleAnomalies"]
# patterns = ["*SchemaDiff.pb", "*anomalies*"]
#
# [tool.vizportal.figures]
# anomalies = { better = "lower", description = "Number of anomalies in all splits." }
# ///
"""
Shows anomalies that TensorFlow Data Validation finds by comparing statistics with a schema.

**Reads** `SchemaDiff.pb` or `anomalies.pbtxt`, or a folder of splits (`Split-eval/SchemaDiff.pb`), such as the artifact of a TFX
ExampleValidator.

**Shows**, for each split, the features that do not conform to the schema, errors first, with a short and a long description, and
the measured drift and skew with their thresholds. If there are no anomalies, a message says so.

**Use it** when a pipeline stops at validation, or to see whether new data still conforms to the schema.
"""
from vizkit import figure, html
from vizkit.files import source_files
from vizkit.statistics.read import load_anomalies, split_of
from vizkit.statistics.schema import anomaly_rows, draw_anomalies

paths = source_files(source, source_uri)
chosen = [path for path in paths if path.suffix in {".pb", ".pbtxt", ".textproto"}] or paths
found = [(path, load_anomalies(path)) for path in chosen[:40]]
figure("anomalies", sum(len(anomaly_rows(each)) for _, each in found))
for path, each in found:
    html.show(draw_anomalies(each, title=split_of(path) or (path.name if len(chosen) > 1 else "")))
