# /// script
# requires-python = ">=3.11"
# dependencies = ["altair"]
# [tool.vizportal]
# key = "vega_lite"
# title = "Vega-Lite chart"
# description = "A chart from a Vega-Lite or Vega specification that holds its data, such as Altair's save('chart.json') writes."
# patterns = ["*.vl.json", "*.vg.json", "*vega*.json", "*chart*.json"]
#
# [tool.vizportal.arguments.file]
# type = "string"
# default = ""
# title = "Specification"
# description = "The name of the specification, where the source is a folder with several JSON files."
# ///
"""
**Reads** a [Vega-Lite](https://vega.github.io/vega-lite/) or Vega specification as JSON (up to 20 MB). Its data is in it
(`data.values`, `datasets`), or in a CSV, TSV or JSON file of the same source folder that `data.url` names; a specification
that loads data from anywhere else is refused, since a result loads nothing.

**Shows** the chart, with its selections and tooltips, in the colours of the page's theme; colours that the specification
sets itself are kept. Where it breaks the schema of Vega-Lite, the first fault is named beside the chart.

**When to use:** to keep a chart as an artifact that can be drawn anywhere.
"""
from pathlib import Path

from vizkit import drawings, embedding, files, html, vega

paths = files.source_files(source, source_uri, patterns=("*.json",))
if variables["file"]:
    paths = [path for path in paths if path.name == variables["file"]]
elif len(paths) > 1:
    # Beside data in JSON, a specification is told by its name.
    paths = [path for path in paths if path.name.endswith((".vl.json", ".vg.json"))] or paths
if len(paths) != 1:
    raise ValueError(f"One specification can be shown, and {len(paths)} were found. Name it in the argument Specification.")
spec, notes = vega.read_spec(paths[0], embedding.source_root(source))
html.show(drawings.draw([spec], notes=notes))
