"""The preview of each kind of file, and how much of the file is read."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile

import pytest

from apps.runs.entities import Artifact
from apps.runs.gateway import ArtifactStream
from apps.runs.previews import LARGEST_WHOLE_BYTES, PEEK_BYTES, content, preview
from tests.runs import sampled


def artifact(name, **more):
    return Artifact(id="1", name=name, type="system.Artifact", uri=f"minio://b/{name}", direction="output", **more)


def stream(chunks, size=None):
    return ArtifactStream(chunks=iter(chunks), size_bytes=size, content_type="", is_directory=False)


def shown(name, data=None, size=None):
    return preview(artifact(name), stream([sampled.FILES[name] if data is None else data], size))


def test_quoted_delimiters_line_ends_and_ragged_rows_are_read():
    found = shown("table.csv")
    assert found.header == ("name", "note", "n", "")
    assert found.rows == (("A, B", "two\nlines", "1", ""), ("short", "", "", ""), ("café", "x", "3", "extra"))


def test_incomplete_last_row_is_omitted():
    data = b"a,b\n" + b'1,"first\nsecond"\n' * 20_000
    found = preview(artifact("x.csv"), stream([data[:PEEK_BYTES]], len(data)))
    assert set(found.rows) == {("1", "first\nsecond")}
    few = b"a,b\n1,2\n3," + b"x" * PEEK_BYTES * 2
    assert preview(artifact("x.csv"), stream([few], len(few))).rows == (("1", "2"),)


def test_64_kb_of_a_1_gb_csv_are_read():
    pulled = 0

    def rows():
        nonlocal pulled
        piece = (b"%07d,value\n" * 4096)[: 8 * 1024]
        while pulled < 1024**3:
            pulled += len(piece)
            yield piece

    found = preview(artifact("x.csv"), stream(rows(), 1024**3))
    assert pulled == PEEK_BYTES
    assert len(found.rows) == 50
    assert found.is_cut


@pytest.mark.parametrize("name", ["x.png", "x.html", "x.ipynb", "x.pdf", "x.parquet"])
def test_1_gb_file_that_must_be_read_completely_is_too_large(name):
    magic = {"x.pdf": b"%PDF-1.4", "x.parquet": b"PAR1", "x.png": b"\x89PNG"}.get(name, b"{ ")
    pulled = []

    def pieces():
        for number in range(1000):
            pulled.append(number)
            yield magic.ljust(PEEK_BYTES, b" ")

    assert preview(artifact(name), stream(pieces(), 1024**3)).preview_kind == "too_large"
    assert len(pulled) == 1


def test_text_encoding_is_detected():
    latin, utf16, packed = shown("latin.csv"), shown("utf16.txt"), shown("log.txt.gz")
    assert (latin.rows, latin.note) == ((("Köln", "50667"),), "Read as Windows-1252.")
    assert (utf16.text, utf16.note) == ("grüße aus dem Norden\n", "Read as UTF-16.")
    assert (packed.text, packed.note, packed.member_name) == ("packed words\n", "", "log.txt")


def test_json_is_shown_as_escaped_tree():
    found = shown("tree.json")
    assert found.preview_kind == "json"
    assert "<details" in found.markup
    assert "&lt;b&gt;" in found.markup
    assert "<b>" not in found.markup
    assert len(found.markup) < 3000


@pytest.mark.parametrize("data", [b'{"a": ', b"[" * 60_000, b'{"n": ' + b"1" * 5000 + b"}"])
def test_invalid_json_is_shown_as_text(data):
    found = shown("x.json", data)
    assert found.markup == ""
    assert found.text == data.decode()
    assert "not valid JSON" in found.note


def test_large_json_tree_is_limited():
    found = shown("x.json", json.dumps({"n": list(range(5000)), "deep": json.loads("[" * 80 + "]" * 80)}).encode())
    assert "and 4,800 more" in found.markup
    assert "too deep to show" in found.markup


def test_json_lines_are_a_table_of_all_keys():
    found = shown("lines.jsonl")
    assert found.header == ("a", "b", "d")
    assert found.rows == (("1", '{"c": 2}', ""), ("<i>", "", ""))
    assert shown("x.jsonl", b"{broken\n").preview_kind == "text"


def test_notebook_is_shown_as_text_cells():
    title, code = shown("book.ipynb").cells
    assert "<script" not in title.markup
    assert "Title" in title.markup
    assert (code.source, code.count) == ("1 / 0", "3")
    assert code.output == "red\n\n[image/png]\nTrace"
    assert shown("x.ipynb", b'{"cells": 3}').preview_kind == "text"


def test_pickle_is_dumped_and_never_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    found = shown("model.pkl", pickle.dumps(Bomb()))
    assert found.preview_kind == "binary"
    assert "pickle" in found.note
    assert found.dump[0][1].startswith("80 04")
    assert not (tmp_path / "ran").exists()
    assert len(shown("model.pkl").dump) == 16


def test_archive_shows_its_only_file_or_its_names():
    one = shown("one.tgz")
    assert (one.preview_kind, one.member_name, one.rows) == ("table", "data.csv", (("1", "2"),))
    many = shown("many.tgz")
    assert [(member.name, member.size_bytes) for member in many.members] == [("a.txt", 1), ("b.txt", 2)]


def test_links_and_outside_paths_in_archives_are_omitted():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, kind in (("../up", tarfile.REGTYPE), ("/abs", tarfile.REGTYPE), ("link", tarfile.SYMTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry, io.BytesIO())
        long_name = tarfile.TarInfo("d/" + "n" * 150 + ".txt")
        long_name.size = 2
        archive.addfile(long_name, io.BytesIO(b"ok"))
    found = shown("x.tgz", packed.getvalue())
    assert found.text == "ok"
    assert found.member_name.endswith("n.txt")


def test_gzip_bomb_is_unpacked_only_up_to_the_preview_size():
    found = shown("x.txt.gz", gzip.compress(b"a" * 200 * 1024**2))
    assert len(found.text) == PEEK_BYTES


@pytest.mark.parametrize(
    "data",
    [b"\x1f\x8bnonsense", sampled.FILES["one.tgz"][:40], gzip.compress(b"x")[:-9] + b"!" * 9],
    ids=["no gzip", "cut", "wrong end"],
)
def test_broken_archive_is_explained(data):
    found = shown("x.tgz", data)
    assert found.preview_kind in {"archive", "empty", "text"}
    assert found.note or found.preview_kind != "archive"


@pytest.mark.parametrize(("name", "media_type"), [("paper.pdf", "application/pdf"), ("picture.png", "image/png")])
def test_pdf_and_image_are_extracted_from_an_archive(name, media_type):
    data = sampled.FILES[name]
    plain = content(artifact(name), stream([data]))
    packed = content(artifact("x.tgz"), stream([sampled.tgz(**{name.replace(".", "__"): data})]))
    assert (plain.media_type, packed.media_type) == (media_type, media_type)
    assert packed.body == data
    assert content(artifact(name), stream([data], LARGEST_WHOLE_BYTES + 1)) is None
    assert content(artifact("x.csv"), stream([b"a,b\n"])) is None


def test_html_with_pdf_suffix_is_not_served_as_pdf():
    found = content(artifact("x.pdf"), stream([b"<html><script>alert(1)</script>"]))
    assert found.media_type.startswith("text/html")
