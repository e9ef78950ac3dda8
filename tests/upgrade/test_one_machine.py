"""Stop `make run` of the previous version and start the new one on the same data. Nothing is lost."""

import hashlib
import signal
import sqlite3
from contextlib import closing

import pytest

from tests.upgrade.api_client import ARTIFACT, CONTENT, Door
from tests.upgrade.machine import running
from tests.upgrade.versions import PRESENT

pytestmark = [pytest.mark.installation, pytest.mark.kernel, pytest.mark.timeout(900)]
# This takes longer than four more requests for renders.
SLOW_S = 12
# The administrator's own type. Unlike users' custom code, it may be retried if its worker ends.
TYPE = f"""
# /// script
# requires-python = ">=3.11"
# dependencies = []
# [tool.vizportal]
# key = "patient"
# title = "Patient"
# description = "Takes its time."
# ///
import time
time.sleep({SLOW_S})
print("patient done")
""".lstrip()


def end_other_runs(door, step):
    """Ends the larger sample, which would use both cores for a minute."""
    kubeflow = Door(door.read("/readyz")["kubeflow"]["host"])
    for run in door.read("/api/v1/runs")["items"]:
        if run["id"] != step["run_id"] and run["state"] in {"pending", "running"}:
            kubeflow.ask(f"/apis/v2beta1/runs/{run['id']}:terminate", {})


def rows(data_dir):
    with closing(sqlite3.connect(data_dir / "db.sqlite3", timeout=20)) as database:
        found = database.execute("SELECT id, state, attempt, losses, html, html_sha256 FROM visualizations_render")
        return {row[0]: row[1:] for row in found}


def test_done_running_and_waiting_renders_survive_a_one_machine_upgrade(previous, tmp_path):
    data_dir = tmp_path / "data"
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "patient.py").write_text(TYPE)
    env = {"ALLOW_CUSTOM_VISUALIZATIONS": "true", "VIZPORTAL_TYPES_DIRS": str(tmp_path / "types")}
    with running(previous, data_dir, **env) as (old, process):
        step = old.find_step()
        end_other_runs(old, step)
        done = [old.custom(step, "early"), old.table(step, "early table")]
        assert [each["state"] for each in old.await_ended(done)] == ["succeeded"] * 2
        pages = [old.page(each) for each in done]
        assert "early" in pages[0]
        assert CONTENT in pages[1]
        code, patient = at_work = [
            old.custom(step, "cut short", 60),
            old.submit(step, type="patient", artifact=ARTIFACT),
        ]
        old.await_running(at_work)
        waiting = [*(old.custom(step, f"late {number}") for number in range(3)), old.table(step, "late table")]
        assert old.states(at_work + waiting) == ["running"] * 2 + ["queued"] * 4
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
    left = rows(data_dir)
    assert sorted(row[0] for row in left.values()) == sorted(["succeeded"] * 2 + ["running"] * 2 + ["queued"] * 4)

    with running(PRESENT, data_dir, **env) as (new, process):
        ends = {each["id"]: each for each in new.await_ended(done + at_work + waiting)}
        assert [new.page(each) for each in done] == pages
        assert {each: ends[each]["state"] for each in waiting} == dict.fromkeys(waiting, "succeeded")
        assert all(f"late {number}" in new.page(each) for number, each in enumerate(waiting[:3]))
        assert CONTENT in new.page(waiting[3])
        # The administrator's type is rendered again. Users' custom code is not, and its page says so.
        assert ends[patient]["state"] == "succeeded"
        assert "patient done" in new.page(patient)
        assert (ends[code]["state"], ends[code]["reason"]) == ("lost", "worker_lost")
        # The embedded Kubeflow has the same data, too.
        made = {each["visualization_id"] for each in ends.values()}
        assert new.read(f"/api/v1/runs/{step['run_id']}")["visualizations"] == len(made)
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
    found = rows(data_dir)
    assert found.keys() == left.keys(), "no render was doubled"
    tries = sorted((state, attempt, losses) for state, attempt, losses, *_ in found.values())
    assert (len(tries), tries[0]) == (8, ("lost", 1, 1))
    # At least one was tried twice. The previous version's reconciler may also count a job as lost just before a worker
    # claims it.
    assert set(tries[1:]) == {("succeeded", 1, 0), ("succeeded", 2, 1)}
    for *_, html, digest in found.values():
        assert not html or hashlib.sha256((data_dir / "results" / html).read_bytes()).hexdigest() == digest
