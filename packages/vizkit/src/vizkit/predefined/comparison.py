# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy"]
# [tool.vizportal]
# key = "comparison"
# title = "Comparison"
# description = "Saved results against the first of them: key figures, curves over each other, changed cells, pictures and texts."
# reads_results = true
#
# [tool.vizportal.figures]
# differences = { description = "All differences together." }
# changed_figures = { description = "Key figures that differ." }
# changed_cells = { description = "Cells of tables that differ, in rows that both have." }
# rows_added = { description = "Rows that only the other table has." }
# rows_removed = { description = "Rows that only the first table has." }
# changed_charts = { description = "Charts whose data differ." }
# changed_pictures = { description = "Pictures that differ." }
# changed_lines = { description = "Lines of text that differ." }
#
# [tool.vizportal.arguments.key]
# type = "array"
# items = {type = "string"}
# title = "Columns that identify rows"
# description = "Empty: the first column in both tables whose values are all different, else the order of the rows."
#
# [tool.vizportal.arguments.highlight]
# type = "integer"
# minimum = 0
# maximum = 200
# default = 0
# title = "Result that stands out"
# description = "Its number, where more than eight curves are drawn over each other. 0: the last one."
# ///
"""
**Reads** saved results: two or more that were chosen in the gallery, in a history or in a series. It is not offered for artifacts.

**Shows** what differs, each result against the first. *Key figures* stand beside each other with their differences, marked as
better or worse where the figure says which direction is better. *Line charts* are drawn over each other; of other charts the
values that differ are listed. In *tables* rows are matched by a column whose values are all different, or by `key`; changed cells have
both values, added and removed rows are marked. *Pictures* have a slider, *texts* are compared by line. Equal parts are named below.

Only what the results show is compared: of a large table that is the rows in its page.

Example: `{"key": ["id"]}`
"""
from vizkit import comparing, notes, saved_results

found = comparing.Comparison(saved_results.read_results(source), variables)
found.show()
notes.show(found.notes)
