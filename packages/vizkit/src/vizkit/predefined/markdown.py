# /// script
# requires-python = ">=3.11"
# dependencies = []
# [tool.vizportal]
# key = "markdown"
# title = "Markdown"
# description = "A Markdown file that a step wrote: text, tables, code, formulas and pictures."
# artifact_types = ["system.Markdown"]
# patterns = ["*.md", "*.markdown", "readme*"]
#
# [tool.vizportal.arguments.file]
# type = "string"
# default = ""
# title = "File"
# description = "Name of the file to show if the source has several. Leave empty to show all, up to 20."
# ///
"""
**Reads** a Markdown file, or a folder or pattern of up to 20 (UTF-8). Images in the source that the file refers to by relative
addresses are embedded (each up to 5 MB); images from the internet cannot be shown.

**Shows** the text as a notebook does: tables in GitHub's style, highlighted code, HTML, and formulas between dollar signs, drawn as
MathML.

**Use it** for `system.Markdown` artifacts and model cards.
"""
from vizkit import documents, embedding

root = embedding.source_root(source)
embedding.show_documents(
    embedding.read_documents(source, source_uri, ("*.md", "*.markdown"), wanted=variables["file"]),
    lambda path, text: documents.markdown_document(text, path.parent, root),
)
