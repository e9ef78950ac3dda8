"""A preview of delimited text says the same as the type *Table* does of the same file."""

from __future__ import annotations

import pytest

from apps.runs.entities import Artifact
from apps.runs.gateway import ArtifactStream
from apps.runs.previews import preview
from packages.vizkit.tests.test_tabular_text import TEXTS

# A file with NULs is shown as bytes, and whether a quotation mark is ever closed only all of a file tells.
# JSON and packed files have kinds of their own.
FILES = {
    name: (content, list(columns), len(next(iter(columns.values()))), said)
    for name, (content, columns, said) in TEXTS.items()
    if name.endswith((".csv", ".tsv")) and columns is not None and name not in {"nul.csv", "stray.csv"}
}
# What is found out by looking at the beginning of a file; the rest of a type's notes is about all of it.
SAID = ("comments", "holds values", "without a name", "the same name")


@pytest.mark.parametrize("name", sorted(FILES))
def test_columns_rows_and_notes_are_those_of_the_table(name):
    content, columns, count, said = FILES[name]
    artifact = Artifact(id="1", name=name, type="system.Dataset", uri=f"minio://b/{name}", direction="output")
    stream = ArtifactStream(chunks=iter([content]), size_bytes=len(content), content_type="", is_directory=False)
    found = preview(artifact, stream)
    # A line with more cells than names is shown as it is.
    assert list(found.header)[: len(columns)] == columns
    assert len(found.rows) == count
    if any(word in said for word in SAID):
        assert said in found.note
