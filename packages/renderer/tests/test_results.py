"""Read results that hostile code may have written."""

import fcntl
import json
import os

import pytest
from renderer import progress, results
from renderer.child.render_child.cells import handover
from renderer.exit_status import ExitStatus

from tests.jobs import make_job

SOUND = '{"state": "succeeded", "cells": 1, "cells_done": 1}'


@pytest.fixture
def directory(tmp_path):
    return tmp_path


def hand_over(page="<p>fine</p>", notebook="{}", result=SOUND, *, is_sealed=True):
    """Returns the descriptors that a host would send for a render with these results."""
    descriptors = handover.make_results()
    for descriptor, text in zip(descriptors, (page, notebook, result), strict=True):
        os.pwrite(descriptor, text.encode(), 0)
        if is_sealed:
            handover.seal(descriptor)
    return descriptors


def read_with(directory, descriptors, max_html_bytes=1000, **said):
    order = make_job(code="", variables={}, max_html_bytes=max_html_bytes, timeout_s=5)
    exit_status = ExitStatus({"exit_status": "exited", "returncode": 0, **said}, descriptors)
    return results.read_outcome(directory, order, exit_status, total_s=1.0)


def read(directory, said=None, **given):
    with read_with(directory, hand_over(**given), **(said or {})) as outcome:
        return outcome


def test_valid_result_is_read(directory):
    with read_with(directory, hand_over()) as outcome:
        assert (outcome.state, outcome.html.read(), outcome.notebook.read()) == ("succeeded", b"<p>fine</p>", b"{}")
    assert outcome.html.closed
    assert outcome.notebook.closed


def test_unsealed_result_is_refused(directory):
    outcome = read(directory, is_sealed=False)
    assert (outcome.state, outcome.reason, outcome.html) == ("failed", "kernel_died", None)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_incomplete_results_are_refused(directory, count):
    outcome = read_with(directory, hand_over()[:count])
    assert (outcome.state, outcome.html) == ("failed", None)


def test_sealed_file_cannot_be_written_truncated_or_unsealed():
    descriptor = hand_over()[0]
    for change in (lambda: os.pwrite(descriptor, b"x", 0), lambda: os.ftruncate(descriptor, 0)):
        with pytest.raises(PermissionError):
            change()
    with pytest.raises(PermissionError):
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, 0)
    os.close(descriptor)


def test_file_position_of_the_render_has_no_effect(directory):
    descriptors = hand_over()
    own = os.dup(descriptors[0])
    with read_with(directory, descriptors) as outcome:
        os.lseek(own, 5, os.SEEK_SET)
        assert outcome.html.read() == b"<p>fine</p>"
    os.close(own)


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
def test_forged_result_json_is_a_bad_result(directory, text):
    outcome = read(directory, result=text)
    assert (outcome.state, outcome.reason) == ("failed", "bad_result")


def test_numbers_and_texts_of_a_result_are_bounded(directory):
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
    outcome = read(directory, result=json.dumps(forged))
    assert outcome.line is None
    assert outcome.cells == outcome.cells_done == 0
    assert len(outcome.message) <= 2000
    assert "\x00" not in outcome.message
    assert len(outcome.traceback) <= 32_000
    assert outcome.timings["cells"] == 0


def test_exit_status_overrides_the_result(directory):
    assert read(directory, {"exit_status": "timed_out", "returncode": -9}).state == "timed_out"


def test_html_over_the_limit_is_refused(directory):
    assert read(directory, page="x" * 2000).reason == "html_too_big"


def test_killed_process_is_distinguished_from_exited_process(directory):
    killed, exited = (read_with(directory, [], returncode=code) for code in (-9, 3))
    assert {killed.reason, exited.reason} == {"kernel_died"}
    assert (killed.signal, exited.signal) == (9, None)
    assert "signal SIGKILL" in killed.message
    assert "exit code 3" in exited.message


@pytest.mark.parametrize("kind", ["symlink", "hard link", "fifo", "directory", "missing"])
def test_progress_file_must_be_regular_and_have_one_link(directory, kind):
    path = directory / "progress"
    (directory / "of somebody else").write_text("1 2 0 0")
    make = {
        "symlink": lambda: path.symlink_to(directory / "of somebody else"),
        "hard link": lambda: os.link(directory / "of somebody else", path),
        "fifo": lambda: os.mkfifo(path),
        "directory": path.mkdir,
        "missing": lambda: None,
    }
    make[kind]()
    assert progress.read_progress(directory) == progress.Written()


@pytest.mark.parametrize("text", ["", "1", "a b c d", "1 2 3", "1 2 3 4 5", "9" * 100, "-1 -1 -1 -1"])
def test_malformed_progress_is_ignored(directory, text):
    (directory / "progress").write_text(text)
    assert progress.read_progress(directory) == progress.Written()


def test_latest_copy_is_read(directory):
    files = handover.Handover(directory, handover.make_results())
    watcher = progress.Watcher(directory)
    for number in range(3):
        files.write_progress(number, 3)
        files.write_partial(f"page {number}")
        files.write_notebook(f"notebook {number}")
        seen = watcher.read(1.0)
        assert (seen.cell, seen.cells, seen.page) == (number, 3, f"page {number}".encode())
        assert watcher.read(1.0).page is None
    with read_with(directory, [], exit_status="timed_out") as outcome:
        assert outcome.notebook.read() == b"notebook 2"


def test_notebook_of_a_timed_out_render_must_be_a_regular_file(directory):
    (directory / "progress").write_text("1 1 1 0")
    (directory / "notebook.1.ipynb").symlink_to("/etc/passwd")
    assert read_with(directory, [], exit_status="timed_out").notebook is None
    (directory / "notebook.1.ipynb").unlink()
    (directory / "notebook.1.ipynb").write_text("{}")
    with read_with(directory, [], exit_status="timed_out") as outcome:
        assert outcome.notebook.read() == b"{}"
