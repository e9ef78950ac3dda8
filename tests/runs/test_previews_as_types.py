"""A preview of delimited text shows the same as the type *Table* for the same file."""

from __future__ import annotations

import pytest

from apps.runs.entities import Artifact
from apps.runs.gateway import ArtifactStream
from apps.runs.previews import preview
from packages.vizkit.tests.test_tabular_text import TEXTS

# A file with NULs is shown as bytes. Whether a quotation mark is ever closed is known only from the complete file.
# JSON and compressed files have their own preview kinds.
FILES = {
    name: (content, list(columns), len(next(iter(columns.values()))), said)
    for name, (content, columns, said) in TEXTS.items()
    if name.endswith((".csv", ".tsv")) and columns is not None and name not in {"nul.csv", "stray.csv"}
}
# Notes that need only the beginning of a file. A type's other notes need the complete file.
SAID = ("comments", "holds values", "without a name", "the same name")


@pytest.mark.parametrize("name", sorted(FILES))
def test_preview_has_the_columns_rows_and_notes_of_the_table(name):
    content, columns, count, said = FILES[name]
    artifact = Artifact(id="1", name=name, type="system.Dataset", uri=f"minio://b/{name}", direction="output")
    stream = ArtifactStream(chunks=iter([content]), size_bytes=len(content), content_type="", is_directory=False)
    found = preview(artifact, stream)
    # A line with more cells than names is shown unchanged.
    assert list(found.header)[: len(columns)] == columns
    assert len(found.rows) == count
    if any(word in said for word in SAID):
        assert said in found.note
