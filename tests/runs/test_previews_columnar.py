"""Parquet and Arrow files are read by a confined process."""

from __future__ import annotations

import subprocess

import pytest
from django.conf import settings
from renderer import ConfinedLimits

from apps.runs.entities import Artifact
from apps.runs.gateway import ArtifactStream
from apps.runs.previews import preview
from apps.runs.previews.kinds import columnar
from apps.visualizations.environments import environments

PYTHON = settings.VIZPORTAL_ENVIRONMENTS_DIR / "base" / "bin" / "python"
built = pytest.mark.skipif(not PYTHON.exists(), reason="the base environment is not built")
MAKE = """
import sys, polars
frame = polars.DataFrame({"id": range(200), "<b>": ["x", None] * 100, "list": [[1, 2]] * 200})
getattr(frame, sys.argv[1])(sys.argv[2])
"""


def shown(data, name="x.parquet"):
    artifact = Artifact(id="1", name="x", type="system.Dataset", uri=f"minio://b/{name}", direction="output")
    chunks = (data[start : start + 1000] for start in range(0, len(data), 1000))
    return preview(artifact, ArtifactStream(chunks=chunks, size_bytes=len(data), content_type="", is_directory=False))


@built
@pytest.mark.parametrize(
    ("writer", "name"), [("write_parquet", "out"), ("write_ipc", "x.feather"), ("write_ipc_stream", "x.arrow")]
)
def test_preview_has_first_rows_types_and_row_count(tmp_path, writer, name):
    subprocess.run([PYTHON, "-I", "-c", MAKE, writer, tmp_path / "made"], check=True)
    found = shown((tmp_path / "made").read_bytes(), name)
    assert found.preview_kind == "columnar"
    assert found.header == ("id", "<b>", "list")
    assert found.types == ("Int64", "String", "List(Int64)")
    assert (found.row_count, len(found.rows), found.is_cut) == (200, 50, True)
    assert found.rows[1] == ("1", "", "[1, 2]")


@built
def test_broken_file_is_explained(tmp_path):
    assert "cannot be read" in shown(b"PAR1" + b"\x00" * 500 + b"PAR1").note


def test_missing_environment_is_explained(settings, tmp_path):
    settings.VIZPORTAL_ENVIRONMENTS_DIR = tmp_path
    assert "environments build previews" in shown(b"PAR1....").note


@built
def test_previews_environment_alone_is_enough(settings, tmp_path):
    made = tmp_path / "made"
    subprocess.run([PYTHON, "-I", "-c", MAKE, "write_parquet", made], check=True)
    settings.VIZPORTAL_ENVIRONMENTS_DIR = tmp_path / "environments"
    environments().build("previews", [].append)
    assert shown(made.read_bytes()).row_count == 200


def test_hanging_or_broken_reader_is_ended_and_explained(settings, tmp_path, monkeypatch):
    fake = tmp_path / "base" / "bin" / "python"
    fake.parent.mkdir(parents=True)
    settings.VIZPORTAL_ENVIRONMENTS_DIR = tmp_path
    for script, words in (("sleep 60", "too long"), ("echo '[1, 2'", "ended the process"), ("echo '{}'", "ended the")):
        fake.write_text(f"#!/bin/sh\n{script}\n")
        fake.chmod(0o755)
        monkeypatch.setattr(columnar, "LIMITS", ConfinedLimits(timeout_s=0.5 if "sleep" in script else 10.0))
        assert words in shown(b"PAR1....").note


@built
def test_reader_is_confined(tmp_path, monkeypatch):
    """Runs a hostile reader, as if a file had taken it over."""
    canary = tmp_path / "secret"
    canary.write_text("secret")
    hostile = tmp_path / "read_table.py"
    hostile.write_text(f"""
import json, os, socket
tried = {{}}
for name, way in (("file", lambda: open({str(canary)!r}).read()), ("net", lambda: socket.socket())):
    try:
        way(); tried[name] = "open"
    except OSError:
        tried[name] = "shut"
print(json.dumps({{"error": str(tried) + str(sorted(os.environ))}}))
""")
    monkeypatch.setattr(columnar, "READER", hostile)
    note = shown(b"PAR1....").note
    assert "'file': 'shut', 'net': 'shut'" in note
    assert "SECRET" not in note
    assert "KFP" not in note
