# /// script
# requires-python = ">=3.11"
# dependencies = ["altair"]
# [tool.vizportal]
# key = "vega_lite"
# title = "Vega-Lite chart"
# description = "A chart from a Vega-Lite or Vega specification with its data, such as Altair's save('chart.json') writes."
# patterns = ["*.vl.json", "*.vg.json", "*vega*.json", "*chart*.json"]
#
# [tool.vizportal.arguments.file]
# type = "string"
# default = ""
# title = "Specification"
# description = "Name of the specification to show if the source is a folder with several JSON files."
# ///
"""
**Reads** a [Vega-Lite](https://vega.github.io/vega-lite/) or Vega specification as JSON (up to 20 MB). Its data is in the
specification (`data.values`, `datasets`), or in a CSV, TSV or JSON file of the same source folder that `data.url` names. A
specification that loads data from another place is an error, because a result has no network access.

**Shows** the chart with its selections and tooltips, in the colours of the page's theme; colours that the specification sets are
kept. If the specification does not conform to the schema of Vega-Lite, the first error is shown with the chart.

**Use it** to store a chart as an artifact that other tools can draw too.
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
    raise ValueError(f"Only one specification can be shown, but {len(paths)} were found. Name it in the argument Specification.")
spec, notes = vega.read_spec(paths[0], embedding.source_root(source))
html.show(drawings.draw([spec], notes=notes))
