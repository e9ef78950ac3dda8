# /// script
# requires-python = ">=3.11"
# dependencies = []
# [tool.vizportal]
# key = "html"
# title = "HTML page"
# description = "An HTML file that a step wrote, with its scripts and styles, in the sandbox of a result."
# artifact_types = ["system.HTML"]
# patterns = ["*.html", "*.htm"]
#
# [tool.vizportal.arguments.file]
# type = "string"
# default = ""
# title = "File"
# description = "Name of the file to show if the source has several. Leave empty to show index.html, or all files without it."
# ///
"""
**Reads** an HTML file, or a folder or pattern of up to 20. Images, scripts and styles in the source that the file refers to by
relative addresses are embedded (each up to 5 MB).

**Shows** the page with its scripts and styles, in the sandbox of every result, without network access. Libraries of the
environment `base` (plotly, bokeh, Vega and others) are embedded if the page loads them from a CDN; other hosts that it would load
from are named. A page with its own colours is shown on white, also in the dark theme.

**Use it** for `system.HTML` artifacts and for reports that a library wrote.
"""
from vizkit import documents, embedding, html

root = embedding.source_root(source)
found = embedding.read_documents(source, source_uri, ("*.html", "*.htm"), wanted=variables["file"], max_files=500)
chosen = [each for each in found if each[0].name.lower() == "index.html"][:1] or found
if len(chosen) > 20:
    raise ValueError(f"{len(chosen)} files are too many to show in one. Name one of them: {', '.join(path.name for path, _ in chosen[:20])}...")
for path, text in chosen:
    page = documents.html_document(text, path.parent, root)
    title = f'<h2 class="vk-name">{html.text(path.name)}</h2>' if len(chosen) > 1 else ""
    note = documents.outside_note(page)
    html.show(title, f'<p class="quiet">{html.text(note)}</p>' if note else "", page)
