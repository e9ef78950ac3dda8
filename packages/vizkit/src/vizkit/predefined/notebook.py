# /// script
# requires-python = ">=3.11"
# dependencies = ["nbformat"]
# [tool.vizportal]
# key = "notebook"
# title = "Notebook"
# description = "A Jupyter notebook that a step wrote: its texts, its code and its saved outputs. Nothing of it is run."
# patterns = ["*.ipynb"]
#
# [tool.vizportal.arguments.show_code]
# type = "boolean"
# default = true
# title = "Show the code"
#
# [tool.vizportal.arguments.file]
# type = "string"
# default = ""
# title = "File"
# description = "The name of the notebook to show, where the source has several; empty: all, up to 20."
# ///
"""
**Reads** an `.ipynb` file of any language and version, such as papermill's output; or a folder or pattern of up to 20.

**Shows** it without running it: Markdown with formulas, code with its numbers, and the outputs that are saved in it -
text, pictures, tables, HTML, plotly and Vega charts. The interactive widgets of ipywidgets need a kernel and are named only.

**When to use:** to read what a notebook step did. To *run* a notebook with arguments of your own, make it a type (see
[Adding a type](../add-a-type.md)).
"""
from vizkit import documents, embedding

embedding.show_documents(
    embedding.read_documents(source, source_uri, ("*.ipynb",), wanted=variables["file"]),
    lambda path, text: documents.notebook_document(text, shows_code=variables["show_code"]),
)
