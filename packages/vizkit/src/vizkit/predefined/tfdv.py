# /// script
# requires-python = ">=3.11"
# dependencies = ["tensorflow-metadata", "polars", "numpy"]
# [tool.vizportal]
# key = "tfdv"
# title = "Data statistics (TFDV)"
# description = "Statistics of each feature: count, missing share, mean, standard deviation, quantiles, top values and histogram; compares data sets."
# reads_tables = true
# artifact_types = ["ExampleStatistics", "system.Dataset"]
# patterns = ["*FeatureStats.pb", "*stats_tfrecord*", "*statistics*", "*stats*.pb", "*stats*.pbtxt"]
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
# description = "Features (columns) to show. Leave empty to show all."
#
# [tool.vizportal.arguments.split_by]
# type = "string"
# default = ""
# title = "Split column"
# description = "For tables such as CSV: a column, such as split, whose values are shown as separate data sets. At most 8 values."
#
# [tool.vizportal.arguments.max_rows]
# type = "integer"
# minimum = 0
# default = 0
# title = "Rows to read"
# description = "For tables such as CSV: number of rows to read from the start. 0: all rows."
# ///
"""
Shows statistics of a data set by feature, like TensorFlow Data Validation's `visualize_statistics`.

**Reads** the files of TFDV and TFX: `FeatureStats.pb`, `stats_tfrecord` (also compressed or sharded), text (`.pbtxt`), a folder of
splits (`Split-train/FeatureStats.pb` and `Split-eval/FeatureStats.pb` are compared), or a pattern of several files. It also reads
the data itself, in the tables that the type [Table](table.md) reads, and computes the same figures as TFDV 1.16 does for that CSV
file, without TensorFlow.

**Shows** for each feature: count, missing values, mean, standard deviation, zeros, minimum, median and maximum; or distinct
values, top values and average length in bytes; a histogram with buckets of equal width or equal count; and, for several data sets,
their distance from 0 to 1 (the maximum distance between cumulative shares, or between the shares of one value).

**Use it** before training, to find columns that are empty, constant or unusual, and to compare training and evaluation data.

Example: `split_by = "split"` for a CSV file with a column `split` that contains `train` and `eval`.
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
