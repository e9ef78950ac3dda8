"""Check every rule that selects a preview kind, and that docs/previews.md lists the same rules."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.template.loader import get_template

from apps.runs.entities import Artifact
from apps.runs.gateway import ArtifactStream
from apps.runs.previews import content, preview, preview_kinds
from tests.runs import sampled

ROOT = Path(__file__).parents[2]
WORDS = b"plain words"
GIF, JPEG, WEBP = b"GIF89a....", b"\xff\xd8\xff\xe0....", b"RIFF....WEBP"
# Tab-separated rows with more commas than tabs: only the suffix tells which is the delimiter.
MP3 = (b"\xff\xfb\x90\x00" + b"\0" * 413) * 2
TABS = b"city, state, country\tn\nBern, BE, CH\t1\n"
BOOK = json.dumps(sampled.NOTEBOOK).encode()
BY_SUFFIX = {
    ".csv": ("table", b"a;b\n1;2\n"),
    ".tsv": ("table", TABS),
    ".json": ("json", b"7"),
    ".jsonl": ("json_lines", b"1\n2\n"),
    ".ndjson": ("json_lines", b"1\n2\n"),
    ".ipynb": ("notebook", b'{"cells": []}'),
    ".md": ("markdown", WORDS),
    ".markdown": ("markdown", WORDS),
    ".html": ("html", WORDS),
    ".htm": ("html", WORDS),
    ".png": ("image", WORDS),
    ".jpg": ("image", WORDS),
    ".jpeg": ("image", WORDS),
    ".gif": ("image", WORDS),
    ".webp": ("image", WORDS),
    ".svg": ("image", WORDS),
}
# Text in an old encoding. The suffix only permits such an encoding, and the content decides.
TEXT_SUFFIXES = (".txt", ".log", ".yaml", ".yml", ".toml", ".ini", ".py", ".sql", ".xml", ".pbtxt")
STREAM_SUFFIXES = (".arrow", ".arrows", ".feather", ".ipc")
GREEK = b"\xf0\xe1\xe9" * 20
BY_TYPE = {"system.HTML": "html", "system.Markdown": "markdown"}
BY_CONTENT = {
    b"%PDF-1.4": "pdf",
    b"PAR1....": "columnar",
    b"ARROW1..": "columnar",
    b"\x1f\x8b....": "archive",
    sampled.PNG: "image",
    GIF: "image",
    JPEG: "image",
    WEBP: "image",
    b" \n{": "json",
    b"[1": "json",
    b'{"a": 1}\n{"a": 2}\n': "json_lines",
    BOOK: "notebook",
    b"<!DOCTYPE html><p>x": "html",
    b"<HTML>": "html",
    b"RIFF....WAVEfmt ": "audio",
    b"fLaC....": "audio",
    b"OggS" + b"\0" * 24 + b"OpusHead": "audio",
    b"OggS" + b"\0" * 24 + b"\x01vorbis": "audio",
    b"ID3\x04....": "audio",
    MP3: "audio",
    b"\0\0\0 ftypM4A ": "audio",
    b"\0\0\0 ftypisom": "video",
    b"\0\0\0 ftypqt  ": "video",
    b"\x1a\x45\xdf\xa3....\x42\x82\x84webm": "video",
    WORDS: "text",
    b"\x00\x01": "binary",
    b"": "empty",
}
DRAWN_BY_THE_BROWSER = {
    ("x", b"%PDF-1.4"): "application/pdf",
    ("x", b"<html>"): "text/html; charset=utf-8",
    ("x", sampled.PNG): "image/png",
    ("x", GIF): "image/gif",
    ("x", JPEG): "image/jpeg",
    ("x", WEBP): "image/webp",
    ("x.png", WORDS): "image/png",
    ("x.jpg", WORDS): "image/jpeg",
    ("x.jpeg", WORDS): "image/jpeg",
    ("x.gif", WORDS): "image/gif",
    ("x.webp", WORDS): "image/webp",
    ("x.svg", WORDS): "image/svg+xml",
    ("x.png", GIF): "image/gif",
}


def artifact(name="x", type_="system.Artifact", **more):
    return Artifact(id="1", name="x", type=type_, uri=f"minio://b/{name}", direction="output", **more)


def stream(data, content_type="", *, is_directory=False):
    return ArtifactStream(
        chunks=iter([data]), size_bytes=len(data), content_type=content_type, is_directory=is_directory
    )


@pytest.mark.parametrize("suffix", BY_SUFFIX)
def test_suffix_or_metadata_format_selects_the_kind(suffix):
    kind, data = BY_SUFFIX[suffix]
    assert preview(artifact(f"x{suffix}"), stream(data)).preview_kind == kind
    assert preview(artifact(f"x{suffix.upper()}"), stream(data)).preview_kind == kind
    assert preview(artifact(metadata={"format": suffix[1:]}), stream(data)).preview_kind == kind
    assert preview(artifact("x.unknown"), stream(data)).preview_kind != kind


def test_cells_of_a_tsv_are_separated_only_by_tabs():
    found = preview(artifact("x.tsv"), stream(TABS))
    assert found.header == ("city, state, country", "n")
    assert found.rows == (("Bern, BE, CH", "1"),)


@pytest.mark.parametrize("suffix", TEXT_SUFFIXES)
def test_text_suffix_permits_an_old_encoding(suffix):
    assert preview(artifact(f"x{suffix}"), stream(GREEK)).preview_kind == "text"
    assert preview(artifact("x.unknown"), stream(GREEK)).preview_kind == "binary"
    assert preview(artifact(f"x{suffix}"), stream(b"[1]")).preview_kind == "json"


@pytest.mark.parametrize("suffix", STREAM_SUFFIXES)
def test_arrow_stream_needs_suffix_and_first_bytes(suffix):
    assert preview(artifact(f"x{suffix}"), stream(b"\xff\xff\xff\xff\x00")).preview_kind == "columnar"
    assert preview(artifact(f"x{suffix}"), stream(WORDS)).preview_kind == "text"
    assert preview(artifact("x.unknown"), stream(b"\xff\xff\xff\xff\x00")).preview_kind == "binary"


@pytest.mark.parametrize("artifact_type", BY_TYPE)
def test_artifact_type_overrides_the_suffix(artifact_type):
    assert preview(artifact("x.csv", artifact_type), stream(WORDS)).preview_kind == BY_TYPE[artifact_type]


@pytest.mark.parametrize("data", BY_CONTENT, ids=BY_CONTENT.values())
def test_content_selects_the_kind_if_nothing_else_does(data):
    assert preview(artifact(), stream(data)).preview_kind == BY_CONTENT[data]


@pytest.mark.parametrize("name", ["x", "x.csv", "x.html", "x.png", "x.ipynb"])
@pytest.mark.parametrize(("data", "kind"), [(b"%PDF-1.4", "pdf"), (b"PAR1....", "columnar")])
def test_magic_bytes_override_type_and_suffix(name, data, kind):
    assert preview(artifact(name, "system.HTML"), stream(data)).preview_kind == kind


def test_dataset_with_equal_comma_counts_is_a_table():
    assert preview(artifact(type_="system.Dataset"), stream(b"a,b\n1,2\n")).preview_kind == "table"
    assert preview(artifact(type_="system.Dataset"), stream(b"a,b\n1,2,3\n")).preview_kind == "text"
    assert preview(artifact(type_="system.Model"), stream(b"a,b\n1,2\n")).preview_kind == "text"
    assert preview(artifact(type_="system.Dataset"), stream(b'{"a": 1,\n"b": 2,\n')).preview_kind == "json"


def test_gateway_decides_about_images_and_folders():
    assert preview(artifact(), stream(WORDS, "image/avif")).preview_kind == "image"
    assert content(artifact(), stream(WORDS, "image/avif")).media_type == "image/avif"
    folder = stream(sampled.FILES["one.tgz"], is_directory=True)
    assert [member.name for member in preview(artifact("x.csv"), folder).members] == ["data.csv"]


@pytest.mark.parametrize(("name", "data"), DRAWN_BY_THE_BROWSER)
def test_media_type_is_sent_to_the_browser(name, data):
    assert content(artifact(name), stream(data)).media_type == DRAWN_BY_THE_BROWSER[name, data]


@pytest.mark.parametrize("data", [data for data, kind in BY_CONTENT.items() if kind not in {"pdf", "html", "image"}])
def test_other_content_is_not_sent_to_the_browser(data):
    assert content(artifact(), stream(data)) is None


def test_tables_of_this_module_are_complete():
    kinds = preview_kinds()
    assert {suffix: kind.key for kind in kinds for suffix in kind.suffixes} == {
        suffix: kind for suffix, (kind, _) in BY_SUFFIX.items()
    }
    assert {name: kind.key for kind in kinds for name in kind.artifact_types} == BY_TYPE
    assert {suffix for kind in kinds for suffix in kind.text_suffixes} == set(TEXT_SUFFIXES)
    assert {kind.key for kind in kinds} == {kind for kind, _ in BY_SUFFIX.values()} | set(BY_CONTENT.values()) | {
        "directory"
    }


def test_every_kind_has_a_template():
    for kind in preview_kinds():
        get_template(f"runs/previews/{kind.key}.html")
    get_template("runs/previews/too_large.html")


def test_every_suffix_and_type_is_documented():
    page = (ROOT / "docs" / "previews.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`(\.[a-z]+|system\.[A-Z]\w+)`", page))
    assert {*BY_SUFFIX, *TEXT_SUFFIXES, *STREAM_SUFFIXES, *BY_TYPE} <= documented
