# /// script
# requires-python = ">=3.11"
# dependencies = []
# [tool.vizportal]
# key = "html"
# title = "HTML page"
# description = "An HTML file that a step wrote, with its scripts and styles, inside the sandbox of a result."
# artifact_types = ["system.HTML"]
# patterns = ["*.html", "*.htm"]
#
# [tool.vizportal.arguments.file]
# type = "string"
# default = ""
# title = "File"
# description = "The name of the file to show, where the source has several; empty: index.html, or else all of them."
# ///
"""
**Reads** an HTML file, or a folder or pattern of up to 20. Pictures, scripts and styles beside it, which it refers to by
relative addresses, are put in (each up to 5 MB).

**Shows** it as it is: its scripts run and its styles apply, inside the sandbox that every result is in, without a network.
Libraries that the environment `base` has (plotly, bokeh, Vega, ...) are put in where it loads them from a CDN; what else it
would load from elsewhere is named. One with colours of its own stands on white paper also in the dark theme.

**When to use:** for `system.HTML` artifacts and for reports that a library wrote.
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
