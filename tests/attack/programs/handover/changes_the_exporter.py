"""Replaces the functions that export, write and report the end, within the render's own process.

gains: a result that the portal mistakes for another, or an error in the trusted side
limits: timeout_s=6 max_html_bytes=1000000
repeat: 6
ends: any
"""

import gc

from render_child.cells import render as rendering
from render_child.page import export

kind = ROUND % 6
if kind == 0:
    export.export_html = lambda *_: "\ud800" * 1000
elif kind == 1:
    export.export_html = lambda *_: "x" * 5_000_000
elif kind == 2:
    rendering.write = lambda path, text: os.symlink(V["secret"], path)
elif kind == 3:
    for each in gc.get_objects():
        if type(each) is rendering.Render:
            each.result = {"cells": "\ud800", "state": "succeeded", "message": V["forged"]}
elif kind == 4:
    for each in gc.get_objects():
        if type(each) is rendering.Render:
            each._directory = Path(V["outside"])
            each.notebook.metadata["x"] = "\ud800"
else:
    json.dumps = lambda *_, **__: "\ud800"
tried("functions", kind)
