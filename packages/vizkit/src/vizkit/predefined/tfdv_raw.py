# /// script
# requires-python = ">=3.11"
# dependencies = ["tensorflow-data-validation"]
# [tool.vizportal]
# key = "tfdv_raw"
# title = "Data statistics computed by TFDV"
# description = "Statistics of CSV files, or TFRecords of tf.Example, computed by TensorFlow Data Validation itself, with its anomalies."
# reads_tables = true
# environment = "tfx"
# artifact_types = ["Examples"]
# patterns = ["*.tfrecord", "*.tfrecord.gz", "*data_tfrecord*"]
#
# [tool.vizportal.figures]
# examples = { description = "Examples in all data sets together." }
# features = { description = "Features of any data set." }
#
# [tool.vizportal.arguments.features]
# type = "array"
# items = { type = "string" }
# default = []
# title = "Features"
# description = "The features (columns) to describe. Empty: all of them."
#
# [tool.vizportal.arguments.sample_rate]
# type = "number"
# exclusiveMinimum = 0
# maximum = 1
# default = 1
# title = "Share of the examples"
# description = "1: all of them. With 0.1, every tenth or so is looked at, chosen at random."
#
# [tool.vizportal.arguments.show_schema]
# type = "boolean"
# default = false
# title = "Show the schema too"
# description = "The schema that TFDV infers from these statistics."
# ///
"""
Has TensorFlow Data Validation compute the statistics of raw data, and shows them as the type *Data statistics (TFDV)* does.

**It reads** the tables that the type [Table](table.md) reads, TFRecord files of `tf.Example` (also compressed, `.gz`), and folders of splits as a TFX ExampleGen writes
them (`Split-train/data_tfrecord-00000-of-00001.gz`): each split is a data set beside the others.

**It shows** TFDV's own figures, to the last digit. Above some thousand distinct values TFDV estimates quantiles to one percent.

Use it for TFRecords, which nothing else here reads, or to have TFDV's word. For CSV and Parquet the type *Data statistics (TFDV)*
gives the same figures in a tenth of the time.
"""
from vizkit import figure, html, notes, tabular
from vizkit.statistics.draw import draw_statistics
from vizkit.statistics.raw import schema_of, tfdv_statistics
from vizkit.statistics.schema import draw_schema

found = tfdv_statistics(
    source, source_uri, features=variables.get("features") or [], sample_rate=variables.get("sample_rate") or 1,
    how=tabular.How.of(variables),
)
figure("examples", sum(each.examples for each in found.datasets))
figure("features", len({feature.name for each in found.datasets for feature in each.features}))
html.show(draw_statistics(found.datasets))
if variables.get("show_schema"):
    html.show(draw_schema(schema_of(found)))
notes.show(found.notes)
