"""A step's log: line numbers, search, attempts, growing logs, and logs of deleted pods."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from bs4 import BeautifulSoup

from apps.runs.entities import Attempt, State, StepLog
from apps.runs.gateway import details, logs
from apps.runs.log_lines import MOST_LINES, log_page
from apps.runs.previews.terminal import plain
from tests.runs.kubeflow import run_row

URL = "/runs/r1/steps/read-data/"
POLL = {"HX-Request": "true", "HX-Target": "step-log"}


def soup(response):
    return BeautifulSoup(response.content, "html.parser")


def lines_of(response):
    return {line["id"]: line.select_one(".log-text").text for line in soup(response).select("[id^=L]")}


@pytest.fixture
def retried(monkeypatch, kubeflow):
    """Gives the step read-data two attempts."""
    started = datetime(2026, 9, 20, tzinfo=UTC)
    attempts = (
        Attempt(id="try-0", state=State.FAILED, started_at=started, pod_name="pod-0", error="OOMKilled"),
        Attempt(id="try-1", state=State.SUCCEEDED, pod_name="pod-2"),
        Attempt(id="try-2", state=State.SUCCEEDED),
    )
    real = details.run_details

    def run_details(*args):
        found = real(*args)
        steps = tuple(replace(step, attempts=attempts) if step.id == "read-data" else step for step in found.steps)
        return replace(found, steps=steps)

    monkeypatch.setattr(details, "run_details", run_details)
    kubeflow.logs["pod-0"] = "killed\n"


def test_lines_are_numbered_links_without_escape_codes(client, kubeflow):
    kubeflow.logs["pod-2"] = "\x1b[31mred <b>\x1b[0m\r\n10%\r100%\nlast"
    response = client.get(URL + "?tab=logs")
    assert lines_of(response) == {"L1": "red <b>", "L2": "100%", "L3": "last"}
    assert soup(response).select_one("#L2 .log-number")["href"] == "#L2"


def test_log_search_marks_matching_lines(client, kubeflow):
    kubeflow.logs["pod-2"] = "one\nLoss <1>\nthree\nloss <2>\n"
    response = client.get(URL + "?tab=logs&q=loss+<")
    assert list(lines_of(response)) == ["L2", "L4"]
    assert [mark.text for mark in soup(response).select("mark")] == ["Loss <", "loss <"]
    assert "2 lines with" in " ".join(soup(response).text.split())
    assert lines_of(client.get(URL + "?tab=logs&q=nowhere")) == {}


def test_each_attempt_has_its_own_log(client, kubeflow, retried):
    first = client.get(URL + "?tab=logs&attempt=try-0")
    assert lines_of(first) == {"L1": "killed"}
    assert "OOMKilled" in soup(first).text
    query = next(query for query in kubeflow.queries if query.get("podname") == "pod-0")
    assert query["createdat"] == "2026-09-20"
    assert soup(first).select_one("[data-log-form] input[name=attempt]")["value"] == "try-0"
    assert "reading" in lines_of(client.get(URL + "?tab=logs"))["L1"]
    assert "no pod for this attempt" in soup(client.get(URL + "?tab=logs&attempt=try-2")).text
    assert client.get(URL + "?tab=logs&attempt=../x").status_code == 404
    saved = client.get(URL + "log?attempt=try-0")
    assert b"".join(saved.streaming_content) == b"killed\n"
    assert "read-data - attempt 1.log" in saved["Content-Disposition"]


def test_poll_returns_only_new_lines(client, kubeflow):
    kubeflow.runs.append(run_row("r9", state="RUNNING", finished_at="1970-01-01T00:00:00Z"))
    kubeflow.add_execution(50, "RUNNING", task_name="train", parent_dag_id=1, pod_name="pod-9")
    kubeflow.logs["pod-9"] = "one\ntwo\nhal"
    page = client.get("/runs/r9/steps/train/?tab=logs")
    assert lines_of(page) == {"L1": "one", "L2": "two"}
    poll = soup(page).select_one("#step-log")
    assert "hal" in poll.text
    kubeflow.logs["pod-9"] = "one\ntwo\nhalf\nfour\n"
    more = client.get(poll["hx-get"], headers=POLL)
    assert lines_of(more) == {"L3": "half", "L4": "four"}
    assert soup(more).select_one("#log-lines")["hx-swap-oob"] == "beforeend"
    assert soup(more).select_one("#step-log")["hx-get"].endswith("after=4")
    silent = client.get(soup(more).select_one("#step-log")["hx-get"], headers=POLL)
    assert soup(silent).select("#step-log")
    assert not soup(silent).select("#log-lines")


def test_log_page_polls_while_the_pod_does_not_exist(client, kubeflow):
    kubeflow.runs.append(run_row("r9", state="RUNNING", finished_at="1970-01-01T00:00:00Z"))
    kubeflow.add_execution(50, "RUNNING", task_name="train", parent_dag_id=1, pod_name="pod-9")
    page = soup(client.get("/runs/r9/steps/train/?tab=logs"))
    assert page.select("#step-log[hx-trigger]")
    assert "not there yet" in page.text


def test_stored_log_is_shown_after_the_pod_is_gone(client, kubeflow, retried):
    kubeflow.add_artifact(60, 2, "executor-logs", "system.Artifact", "minio://mlpipeline/kept")
    kubeflow.objects["mlpipeline/kept"] = b"kept words\n"
    kubeflow.logs.clear()
    page = client.get(URL + "?tab=logs")
    assert lines_of(page) == {"L1": "kept words"}
    assert "kept after the pod was gone" in soup(page).text
    assert b"".join(client.get(URL + "log").streaming_content) == b"kept words\n"
    assert lines_of(client.get(URL + "?tab=logs&attempt=try-0")) == {}
    kubeflow.objects.clear()
    assert "is gone" in soup(client.get(URL + "?tab=logs")).text
    gone = client.get(URL + "log")
    assert gone.status_code == 404


def test_long_log_is_cut_at_a_line_and_keeps_line_numbers(gateway, kubeflow):
    kubeflow.logs["pod-2"] = "".join(f"{number:09d}\n" for number in range(1, 500_001))
    found = gateway.logs("r1", gateway.run_details("r1").step("read-data"))
    assert found.is_cut
    assert len(found.text) <= logs.LONGEST_BYTES
    assert found.text.startswith(f"{found.first_line:09d}\n")
    page = log_page(found)
    assert len(page.lines) == MOST_LINES
    assert page.lines[-1].number == 500_000
    assert page.hidden == found.text.count("\n") - MOST_LINES


def test_log_file_name_is_escaped(client, kubeflow):
    kubeflow.runs[0]["display_name"] = 'a/"b"\r\n\u2603'
    disposition = client.get(URL + "log")["Content-Disposition"]
    assert disposition.startswith("attachment; filename*=utf-8''a_%22b%22_%E2%98%83%20-%20read-data.log")


def test_very_long_line_is_cut():
    (line,) = log_page(StepLog(text="x" * 30_000)).lines
    assert len(line.parts[0][0]) == 10_000
    assert line.left_out == 20_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[1;31mA\x1b[0mB", "AB"),
        ("\x1b]8;;http://evil\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\x", "x"),
        ("\x1b(Bx\x1b", "x"),
        ("a\x00\x08b\tc", "ab\tc"),
        ("\x1b[31\nnext", "\nnext"),
        ("1%\r2%\r\nend", "2%\nend"),
        ("\x1b[" * 100_000 + "\n", "\n"),
    ],
)
def test_terminal_escape_sequences_are_removed(text, expected):
    assert plain(text) == expected
