# /// script
# requires-python = ">=3.11"
# dependencies = ["polars", "skrub"]
# [tool.vizportal]
# key = "data_profile"
# title = "Data profile"
# description = "Summary of each column of a table: missing and distinct values, quantiles and distribution; associations between columns."
# reads_tables = true
# patterns = ["*.csv", "*.tsv", "*.jsonl", "*.ndjson", "*.parquet", "*.arrow", "*.feather"]
#
# [tool.vizportal.figures]
# rows = { description = "Number of rows in the source." }
# columns = { description = "Number of columns in the profile." }
# duplicate_rows = { better = "lower", description = "Number of rows in the sample that repeat an earlier row." }
# missing_share = { better = "lower", description = "Share of missing cells in the sample." }
# alerts = { better = "lower", description = "Number of alerts about possible problems in the data." }
#
# [tool.vizportal.arguments.max_rows]
# type = "integer"
# minimum = 100
# maximum = 1000000
# default = 50000
# title = "Maximum rows"
# description = "Of a larger table, every n-th row is used, and a note on the result says so."
# ///
"""
**Reads** the tables that the type [Table](table.md) reads. In a CSV file, it detects columns of numbers, dates and booleans. Empty
cells and words such as NA are missing values.

**Shows** the report of [skrub](https://skrub-data.org): the first and last rows; for each column the type, missing and distinct
values, mean, standard deviation, quantiles, most frequent values and distribution; and the association between each pair of
columns (Cramér's V and Pearson's correlation). At most 300 columns are described; plots and associations are available for tables
with up to 60 columns.

Above the report are **alerts**: duplicate rows; columns that are empty, constant, mostly missing or nearly unique (more than 95 %
distinct values); and pairs of numeric columns with a correlation above 0.95 or below -0.95.

**Use it** to examine a data set before you train a model with it. For TFX statistics, use Data statistics (TFDV).
"""
from vizkit import alerts, figure, html, notes, profile, tabular

rows, total, said = profile.read_sample(source, source_uri, tabular.How.of(variables), max_rows=variables["max_rows"])
figure("rows", total)
figure("columns", rows.width)
found = alerts.find(rows)
figure("duplicate_rows", alerts.duplicate_rows(rows))
figure("missing_share", sum(rows.null_count().row(0)) / (rows.height * rows.width))
figure("alerts", len(found))
listed = html.table(["Alert", "Columns", "What was seen"], [(each.kind, each.columns, each.words) for each in found[:200]], caption="Alerts", numbers=False)
words = "" if found else '<p class="vk-muted">No alerts: no duplicates, and no empty, constant or nearly unique column.</p>'
html.show(html.group(listed if found else words), profile.report(rows))
notes.show(said)
