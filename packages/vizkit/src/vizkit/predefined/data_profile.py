# /// script
# requires-python = ">=3.11"
# dependencies = ["polars", "skrub"]
# [tool.vizportal]
# key = "data_profile"
# title = "Data profile"
# description = "What is in a table, column by column: missing and different values, quantiles, distributions, and which columns go together."
# reads_tables = true
# patterns = ["*.csv", "*.tsv", "*.jsonl", "*.ndjson", "*.parquet", "*.arrow", "*.feather"]
#
# [tool.vizportal.figures]
# rows = { description = "All rows of the source." }
# columns = { description = "Columns that are described." }
# duplicate_rows = { better = "lower", description = "Rows of the sample that are equal to an earlier one." }
# missing_share = { better = "lower", description = "Share of cells of the sample without a value." }
# alerts = { better = "lower", description = "Things that deserve a look." }
#
# [tool.vizportal.arguments.max_rows]
# type = "integer"
# minimum = 100
# maximum = 1000000
# default = 50000
# title = "Rows to look at"
# description = "Of a larger table every n-th row is taken, and the result says so."
# ///
"""
**Reads** the tables that the type [Table](table.md) reads; of a CSV file it finds out which columns are numbers, dates, or
true and false. Empty cells and words such as NA count as missing.

**Shows** the report of [skrub](https://skrub-data.org): the first and last rows; for each column its type, missing and
different values, mean, deviation, quantiles, most frequent values and distribution; and the association of each two columns
(Cramér's V and Pearson's correlation). Plots and associations are of tables with up to 60 columns; 300 are described.

Above it stand **alerts**: duplicate rows, columns that are empty, constant, mostly missing or nearly unique (over 95 % of the
values differ), and columns of numbers whose correlation is above 0.95.

**When to use:** to get to know a data set before a model is trained with it. For statistics of TFX use TFDV.
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
