# /// script
# requires-python = ">=3.11"
# dependencies = ["nbformat"]
# [tool.vizportal]
# key = "notebook"
# title = "Notebook"
# description = "A Jupyter notebook that a step wrote: text, code and saved outputs. The notebook is not executed."
# patterns = ["*.ipynb"]
#
# [tool.vizportal.arguments.show_code]
# type = "boolean"
# default = true
# title = "Show code"
#
# [tool.vizportal.arguments.file]
# type = "string"
# default = ""
# title = "File"
# description = "Name of the notebook to show if the source has several. Leave empty to show all, up to 20."
# ///
"""
**Reads** an `.ipynb` file of any language and version, such as papermill's output; or a folder or pattern of up to 20.

**Shows** the notebook without running it: Markdown with formulas, code with execution counts, and the saved outputs: text, images,
tables, HTML, plotly and Vega charts. Widgets of ipywidgets need a kernel; only their text is shown.

**Use it** to read what a notebook step did. To *run* a notebook with your own arguments, make it a type (see
[Adding a type](../add-a-type.md)).
"""
from vizkit import documents, embedding

embedding.show_documents(
    embedding.read_documents(source, source_uri, ("*.ipynb",), wanted=variables["file"]),
    lambda path, text: documents.notebook_document(text, shows_code=variables["show_code"]),
)
