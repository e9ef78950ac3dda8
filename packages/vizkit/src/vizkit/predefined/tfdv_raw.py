# /// script
# requires-python = ">=3.11"
# dependencies = ["tensorflow-data-validation"]
# [tool.vizportal]
# key = "tfdv_raw"
# title = "Data statistics computed by TFDV"
# description = "Statistics of tables, or of TFRecords of tf.Example, computed by TensorFlow Data Validation itself."
# reads_tables = true
# environment = "tfx"
# artifact_types = ["Examples"]
# patterns = ["*.tfrecord", "*.tfrecord.gz", "*data_tfrecord*"]
#
# [tool.vizportal.figures]
# examples = { description = "Number of examples in all data sets." }
# features = { description = "Number of distinct features in all data sets." }
#
# [tool.vizportal.arguments.features]
# type = "array"
# items = { type = "string" }
# default = []
# title = "Features"
# description = "Features (columns) to describe. Leave empty to describe all."
#
# [tool.vizportal.arguments.sample_rate]
# type = "number"
# exclusiveMinimum = 0
# maximum = 1
# default = 1
# title = "Sampling rate"
# description = "Share of the examples to use, chosen at random. 1: all examples."
#
# [tool.vizportal.arguments.show_schema]
# type = "boolean"
# default = false
# title = "Show schema"
# description = "Also show the schema that TFDV infers from these statistics."
# ///
"""
Computes the statistics of raw data with TensorFlow Data Validation, and shows them like the type
[Data statistics (TFDV)](tfdv.md).

**Reads** the tables that the type [Table](table.md) reads, TFRecord files of `tf.Example` (also compressed, `.gz`), and folders of
splits from a TFX ExampleGen (`Split-train/data_tfrecord-00000-of-00001.gz`); each split is a data set, and they are compared.

**Shows** the exact figures of TFDV. For more than some thousand distinct values, TFDV estimates quantiles with an error of up to
one percent.

**Use it** for TFRecords, or if you need TFDV's own figures. For CSV and Parquet, the type [Data statistics (TFDV)](tfdv.md) shows
the same figures in a tenth of the time.
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
