# /// script
# requires-python = ">=3.11"
# dependencies = ["polars"]
# [tool.vizportal]
# key = "table"
# title = "Table"
# description = "Rows of CSV, TSV, JSON Lines, Parquet or Arrow files, to sort, search, filter and page through, with statistics of each column."
# reads_tables = true
# artifact_types = ["system.Dataset", "system.Artifact"]
# patterns = ["*.csv", "*.tsv", "*.jsonl", "*.ndjson", "*.parquet", "*.arrow", "*.feather", "*table*"]
#
# [tool.vizportal.figures]
# rows = { description = "Number of rows in the source." }
# columns = { description = "Number of columns in the source." }
#
# [tool.vizportal.arguments.headers]
# type = ["array", "boolean"]
# items = {type = "string"}
# title = "Column names"
# description = "For CSV and TSV files without a header row. If the first line holds the names, leave empty or set false."
# examples = [["id", "price"]]
#
# [tool.vizportal.arguments.columns]
# type = "array"
# items = {type = "string"}
# title = "Columns to show"
# description = "Columns to show, in this order. Leave empty to show all, up to 300."
#
# [tool.vizportal.arguments.max_rows]
# type = "integer"
# minimum = 1
# maximum = 100000
# default = 10000
# title = "Rows to embed"
# description = "Number of rows to show, from the start of the source. The column statistics cover all rows."
# ///
"""
**Reads** delimited text (CSV, TSV and others, in UTF-8, UTF-16, Windows-1252, Latin-1 or an encoding that you name), JSON Lines,
JSON as pandas writes it in any orientation, Parquet, Arrow, Avro and ORC. Each file can be compressed as .gz, .zst, .bz2, .xz, or
.zip with one file in it. A source is one file, a pattern, or a folder. The tables of several files are concatenated, with columns
matched by name; folders such as `year=2024` become columns. Notes below the table list assumptions and missing data.

**Shows** the first rows, with every cell as in the file (CSV is read as text; nested values are shown as JSON); and for each
column, over *all* rows: the number of missing values, the number of distinct values, minimum, maximum and mean. In a text file,
empty cells, the words that pandas reads as missing (NA, N/A, NaN, null, None and so on) and Excel's errors are missing values.
Numbers can have decimal commas, any usual thousands separator, and percent or currency signs. If a table has more than 5 million
cells, a number of distinct values above 2 million is an estimate (error below 2 %) and is marked as such.

To filter a numeric column, enter `>5`, `<=5`, `=5` or `2..5`. To filter another column, enter a part of the text, or `=` and the
whole text.

**Use it** to see the content of a data set. Ten million rows (1 GB of CSV) can be read, because the file is streamed.
"""
from vizkit import figure, tables, tabular

rows, columns = tables.show_source(
    source, source_uri, how=tabular.How.of(variables), columns=variables.get("columns") or (), max_rows=variables["max_rows"]
)
figure("rows", rows)
figure("columns", columns)
