"""Reading back what hostile code may have left."""

import json
import os

import pytest

from apps.visualizations.rendering import RenderOrder, results


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "result.json").write_text('{"state": "succeeded", "cells": 1, "cells_done": 1}')
    (tmp_path / "result.html").write_text("<p>fine</p>")
    return tmp_path


def read(directory, max_html_bytes=1000, **verdict):
    order = RenderOrder(code="", variables={}, max_html_bytes=max_html_bytes, timeout_s=5)
    verdict = {"verdict": "exited", "returncode": 0, **verdict}
    with results.read_outcome(directory, order, verdict, total_s=1.0) as outcome:
        return outcome


def test_a_sound_result_is_read(directory):
    assert read(directory).state == "succeeded"


@pytest.mark.parametrize("name", ["result.html", "result.json"])
@pytest.mark.parametrize("kind", ["symlink", "hard link", "fifo", "directory", "missing"])
def test_what_is_no_regular_file_is_refused_without_hanging(directory, name, kind):
    path = directory / name
    path.unlink()
    if kind == "symlink":
        path.symlink_to("/etc/passwd")
    elif kind == "hard link":
        (directory / "of somebody else").write_text("<p>secret</p>")
        os.link(directory / "of somebody else", path)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    outcome = read(directory)
    assert outcome.state == "failed"
    assert outcome.reason in {"bad_result", "kernel_died"}
    assert outcome.html is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '"succeeded"',
        "[" * 100_000,
        '{"state": "failed", "reason": "out of thin air", "message": 5}',
        " " * 300_000,
    ],
)
def test_a_forged_result_json_is_a_bad_result(directory, text):
    (directory / "result.json").write_text(text)
    outcome = read(directory)
    assert (outcome.state, outcome.reason) == ("failed", "bad_result")


def test_numbers_and_text_of_a_result_are_bounded(directory):
    forged = {
        "state": "failed",
        "reason": "user_error",
        "message": "a\x00\x1b[31m" * 1000,
        "line": 10**9,
        "cells": -4,
        "cells_done": "many",
        "cells_s": 1e300,
        "traceback": "x" * 100_000,
    }
    (directory / "result.json").write_text(json.dumps(forged))
    outcome = read(directory)
    assert outcome.line is None
    assert outcome.cells == outcome.cells_done == 0
    assert len(outcome.message) <= 2000
    assert "\x00" not in outcome.message
    assert len(outcome.traceback) <= 32_000
    assert outcome.timings["cells"] == 0


def test_the_verdict_counts_more_than_the_result(directory):
    assert read(directory, verdict="timed_out", returncode=-9).state == "timed_out"


def test_html_over_the_limit_is_refused(directory):
    (directory / "result.html").write_text("x" * 2000)
    assert read(directory).reason == "html_too_big"


def test_a_file_is_read_from_the_descriptor_that_was_checked(directory):
    order = RenderOrder(code="", variables={}, timeout_s=5)
    (directory / "secret").write_text("<p>secret</p>")
    verdict = {"verdict": "exited", "returncode": 0}
    with results.read_outcome(directory, order, verdict, total_s=1.0) as outcome:
        (directory / "result.html").unlink()
        (directory / "result.html").symlink_to(directory / "secret")
        assert outcome.html.read() == b"<p>fine</p>"
    assert outcome.html.closed


def test_a_notebook_is_kept_only_where_it_is_a_regular_file_with_one_name(directory):
    order = RenderOrder(code="", variables={}, timeout_s=5)
    (directory / "result.ipynb").symlink_to("/etc/passwd")
    with results.read_outcome(directory, order, {"verdict": "timed_out"}, total_s=1.0) as outcome:
        assert outcome.notebook is None
    (directory / "result.ipynb").unlink()
    (directory / "result.ipynb").write_text("{}")
    with results.read_outcome(directory, order, {"verdict": "timed_out"}, total_s=1.0) as outcome:
        assert outcome.notebook.read() == b"{}"
