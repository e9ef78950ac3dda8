# /// script
# requires-python = ">=3.11"
# dependencies = ["tensorflow-metadata", "polars", "numpy"]
# [tool.vizportal]
# key = "tfdv"
# title = "Data statistics (TFDV)"
# description = "Every feature's count, missing share, mean, deviation, quantiles, top values and histogram, several data sets in one."
# reads_tables = true
# artifact_types = ["ExampleStatistics", "system.Dataset"]
# patterns = ["*FeatureStats.pb", "*stats_tfrecord*", "*statistics*", "*stats*.pb", "*stats*.pbtxt"]
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
# description = "The features (columns) to show. Empty: all of them."
#
# [tool.vizportal.arguments.split_by]
# type = "string"
# default = ""
# title = "Compare by column"
# description = "For CSV and Parquet: a column, such as split, whose values are shown as data sets beside each other. At most 8 values."
#
# [tool.vizportal.arguments.max_rows]
# type = "integer"
# minimum = 0
# default = 0
# title = "Rows to read"
# description = "For CSV and Parquet: only so many of the first rows. 0: all of them."
# ///
"""
Shows what a data set is like, feature by feature, in the manner of TensorFlow Data Validation's `visualize_statistics`.

**It reads** what TFDV and TFX write: `FeatureStats.pb`, `stats_tfrecord` (also compressed, also in shards), text (`.pbtxt`),
a folder of splits (`Split-train/FeatureStats.pb`, `Split-eval/FeatureStats.pb`: shown beside each other), or a pattern over
several files. It also reads the data itself, in the tables that the type [Table](table.md) reads, and computes the same figures:
those that TFDV 1.16 gives for that CSV file, without TensorFlow.

**It shows**, for each feature: count, missing, mean, standard deviation, zeros, min, median and max, or unique values, top
values and average length in bytes; a histogram with buckets of equal width or equal count; and, of several data sets, how far
they differ (0 to 1: the largest distance between cumulative shares, or between the shares of one value).

Use it before training, to find columns that are empty, constant or odd, and to see whether training and evaluation data are alike.

Example: `split_by = "split"` on a CSV file with a column `split` of `train` and `eval`.
"""
from vizkit import figure, html, notes, tabular
from vizkit.files import source_files
from vizkit.statistics.compute import compute_statistics
from vizkit.statistics.draw import draw_statistics
from vizkit.statistics.read import holds_statistics, read_statistics

features, said = variables.get("features") or [], notes.Notes()
if holds_statistics(source_files(source, source_uri)):
    datasets = read_statistics(source, source_uri)
else:
    datasets = compute_statistics(
        source, source_uri, features=features, split_by=variables.get("split_by") or "", max_rows=variables.get("max_rows") or 0,
        how=tabular.How.of(variables), notes=said,
    )
figure("examples", sum(each.examples for each in datasets))
figure("features", len({feature.name for each in datasets for feature in each.features}))
html.show(draw_statistics(datasets, features=features))
notes.show(said)
