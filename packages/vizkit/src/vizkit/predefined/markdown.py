# /// script
# requires-python = ">=3.11"
# dependencies = []
# [tool.vizportal]
# key = "markdown"
# title = "Markdown"
# description = "A Markdown file that a step wrote: text, tables, code, formulas, and the pictures beside it."
# artifact_types = ["system.Markdown"]
# patterns = ["*.md", "*.markdown", "readme*"]
#
# [tool.vizportal.arguments.file]
# type = "string"
# default = ""
# title = "File"
# description = "The name of the file to show, where the source has several; empty: all, up to 20."
# ///
"""
**Reads** a Markdown file, or a folder or pattern of up to 20 (UTF-8). Pictures beside it, which it refers to by relative
addresses, are put in (each up to 5 MB); any from the internet cannot be shown.

**Shows** it as a notebook would: GitHub's tables, code with colours, HTML as HTML, and formulas between dollar signs, drawn
as MathML.

**When to use:** for `system.Markdown` artifacts and model cards.
"""
from vizkit import documents, embedding

root = embedding.source_root(source)
embedding.show_documents(
    embedding.read_documents(source, source_uri, ("*.md", "*.markdown"), wanted=variables["file"]),
    lambda path, text: documents.markdown_document(text, path.parent, root),
)
