# /// script
# requires-python = ">=3.11"
# dependencies = ["polars"]
# [tool.vizportal]
# key = "table"
# title = "Table"
# description = "The rows of CSV, TSV, JSON lines, Parquet or Arrow files, to sort, search, filter and page through; with figures of each column over all rows."
# reads_tables = true
# artifact_types = ["system.Dataset", "system.Artifact"]
# patterns = ["*.csv", "*.tsv", "*.jsonl", "*.ndjson", "*.parquet", "*.arrow", "*.feather", "*table*"]
#
# [tool.vizportal.figures]
# rows = { description = "All rows of the source." }
# columns = { description = "All columns of the source." }
#
# [tool.vizportal.arguments.headers]
# type = ["array", "boolean"]
# items = {type = "string"}
# title = "Column names"
# description = "For CSV and TSV files without a first line of names: then every line is data. Empty, or false as in Kubeflow: the file's first line holds them."
# examples = [["id", "price"]]
#
# [tool.vizportal.arguments.columns]
# type = "array"
# items = {type = "string"}
# title = "Columns to show"
# description = "In this order; empty: all, up to 300."
#
# [tool.vizportal.arguments.max_rows]
# type = "integer"
# minimum = 1
# maximum = 100000
# default = 10000
# title = "Rows to embed"
# description = "The first rows of the source. The figures of the columns are those of all rows."
# ///
"""
**Reads** delimited text (CSV, TSV and others, in UTF-8, UTF-16, Windows-1252 or Latin-1, or in the encoding that you name),
JSON lines, JSON as pandas writes it in any orientation, Parquet, Arrow, Avro and ORC; each also packed as .gz, .zst, .bz2, .xz,
or .zip with one file in it. One file, a pattern, or a folder, whose tables are put one below the other with their columns
matched by name; folders such as `year=2024` become columns. What was assumed, and what is missing, is said below the table.

**Shows** the first rows with every cell as the file has it (CSV is read as text; nested values are shown as JSON), and
for each column, over *all* rows: how many values are missing, how many differ, the least, the greatest and the mean.
In a text file an empty cell, the words that pandas takes for missing (NA, N/A, NaN, null, None and so on) and Excel's errors
count as missing. Numbers may have decimal commas, thousands in any usual form, and signs of percent and currency. Beyond 5
million cells, more than 2 million different values of a column are an estimate (less than 2 % off) and say so.

In a filter, a number column takes `>5`, `<=5`, `=5` and `2..5`, any other a part of the text, or `=` and the whole.

**When to use:** to see what is in a data set. Ten million rows (1 GB of CSV) are no problem: the file is streamed.
"""
from vizkit import figure, tables, tabular

rows, columns = tables.show_source(
    source, source_uri, how=tabular.How.of(variables), columns=variables.get("columns") or (), max_rows=variables["max_rows"]
)
figure("rows", rows)
figure("columns", columns)
