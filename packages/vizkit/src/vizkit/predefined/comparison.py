# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy"]
# [tool.vizportal]
# key = "comparison"
# title = "Comparison"
# description = "Saved results compared with the first one: key figures, line charts, table cells, pictures and texts."
# reads_results = true
#
# [tool.vizportal.figures]
# differences = { description = "Total number of differences." }
# changed_figures = { description = "Number of key figures that differ." }
# changed_cells = { description = "Number of table cells that differ, in rows that both tables have." }
# rows_added = { description = "Number of rows that only the other table has." }
# rows_removed = { description = "Number of rows that only the first table has." }
# changed_charts = { description = "Number of charts with different data." }
# changed_pictures = { description = "Number of pictures that differ." }
# changed_lines = { description = "Number of lines of text that differ." }
#
# [tool.vizportal.arguments.key]
# type = "array"
# items = {type = "string"}
# title = "Columns that identify rows"
# description = "Leave empty to use the first column with distinct values in both tables, or the row order if there is none."
#
# [tool.vizportal.arguments.highlight]
# type = "integer"
# minimum = 0
# maximum = 200
# default = 0
# title = "Highlighted result"
# description = "Number of the result to highlight if a chart has more than eight curves. 0: the last result."
# ///
"""
**Reads** two or more saved results, chosen in the gallery, in a history or in a series. It is not offered for artifacts.

**Shows** the differences between each result and the first one. *Key figures* are listed with their differences, marked as better
or worse if the figure defines which direction is better. *Line charts* are overlaid; for other charts, the values that differ are
listed. In *tables*, rows are matched by a column with distinct values, or by `key`; changed cells show both values, and added and
removed rows are marked. *Pictures* have a slider. *Texts* are compared line by line. Equal parts are named below.

Only what the results show is compared. For a large table, these are the rows in its page.

Example: `{"key": ["id"]}`
"""
from vizkit import comparing, notes, saved_results

found = comparing.Comparison(saved_results.read_results(source), variables)
found.show()
notes.show(found.notes)
