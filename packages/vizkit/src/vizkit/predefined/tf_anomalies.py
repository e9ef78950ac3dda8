# /// script
# requires-python = ">=3.11"
# dependencies = ["tensorflow-metadata"]
# [tool.vizportal]
# key = "tf_anomalies"
# title = "Data anomalies (TFDV)"
# description = "What TensorFlow Data Validation found wrong with a data set: feature, severity, short and long description, drift."
# artifact_types = ["ExampleAnomalies"]
# patterns = ["*SchemaDiff.pb", "*anomalies*"]
#
# [tool.vizportal.figures]
# anomalies = { better = "lower", description = "Anomalies in all splits together." }
# ///
"""
Shows anomalies as TensorFlow Data Validation finds them by comparing statistics with a schema.

**It reads** `SchemaDiff.pb` or `anomalies.pbtxt`, or a folder of splits (`Split-eval/SchemaDiff.pb`), such as the artifact of a
TFX ExampleValidator.

**It shows**, for each split, the features that break the schema, errors first, what is wrong in short and in long, and the
measured drift and skew with their thresholds. No table means that nothing was found.

Use it when a pipeline stops at validation, or to see whether the newest data still fits.
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
