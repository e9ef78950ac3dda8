"""Machine faults have their own reasons and advice, and give a predefined render one more attempt."""

import errno
import os
import shutil
import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.utils import timezone
from renderer import HostLostError, HostSpec, RenderHost, hosts_end

from apps.accounts.caller import system_caller
from apps.stores import files
from apps.stores.streamed import StoreAwayError
from apps.visualizations import job_queue
from apps.visualizations.exceptions import MachineError
from apps.visualizations.models import Render
from apps.visualizations.services import execution, hosts, lease, live, machine_faults, reconciliation, results
from apps.visualizations.states import Reason, RenderState
from tests.visualizations.conftest import DeafWorker

pytestmark = pytest.mark.django_db(transaction=True)
KILLED = {
    "state": "failed",
    "reason": "kernel_died",
    "message": "The kernel died: its process was ended by the signal SIGKILL.",
    "signal": 9,
    "html": None,
}


def raiser(error):
    def fail(*_args, **_more):
        raise error

    return fail


def full_disk(monkeypatch, _kernel):
    monkeypatch.setattr(machine_faults.tempfile, "mkdtemp", raiser(OSError(errno.ENOSPC, "No space left on device")))


def gone_directory(monkeypatch, _kernel):
    monkeypatch.setattr(machine_faults, "work_root", raiser(NotADirectoryError(errno.ENOTDIR, "Not a directory")))


def full_store(monkeypatch, _kernel):
    monkeypatch.setattr(files.os, "fsync", raiser(OSError(errno.ENOSPC, "No space left on device")))


def away_store(monkeypatch, _kernel):
    monkeypatch.setattr(results, "PATIENCE_S", 0)
    monkeypatch.setattr(results, "content_save", raiser(StoreAwayError("away")))


def lost_host(_monkeypatch, kernel):
    kernel.during = raiser(HostLostError("The render host ended while this was rendering."))


def killed_child(_monkeypatch, kernel):
    kernel.outcome = KILLED


def no_descriptors(_monkeypatch, kernel):
    kernel.during = raiser(OSError(errno.EMFILE, "Too many open files"))


def no_descriptors_for_a_copy(_monkeypatch, kernel):
    kernel.during = raiser(shutil.Error([("from", "to", "[Errno 24] Too many open files: 'to'")]))


def full_while_rendering(monkeypatch, kernel):
    kernel.outcome = {"state": "failed", "reason": "user_error", "message": "OSError: [Errno 28]", "html": None}
    full = SimpleNamespace(f_bavail=0, f_frsize=4096, f_files=0, f_favail=0)
    monkeypatch.setattr(machine_faults.os, "statvfs", lambda _path: full)


def slow_host(monkeypatch, _kernel):
    fault = MachineError("The code is not at fault. An administrator can help.", code=Reason.HOST_FAILED)
    monkeypatch.setattr(execution, "host_await", raiser(fault))


FAULTS = {
    "work_disk_full": full_disk,
    "work_disk_full while rendering": full_while_rendering,
    "work_dir_failed": gone_directory,
    "store_full": full_store,
    "store_failed": away_store,
    "worker_lost": lost_host,
    "killed_by_system": killed_child,
    "no_descriptors": no_descriptors,
    "no_descriptors for a copy": no_descriptors_for_a_copy,
    "host_failed": slow_host,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_predefined_render_is_retried_once_then_ends_with_reason(submit, work, row, kernel, monkeypatch, fault):
    made = submit()
    FAULTS[fault](monkeypatch, kernel)
    work()
    render = row(made.render)
    assert (render.attempt, render.losses, render.reason) == (2, 2, fault.partition(" ")[0])
    assert render.state == (RenderState.LOST if fault == "worker_lost" else RenderState.FAILED)
    assert "internal" not in render.message
    assert "gain" in render.message or "administrator" in render.message, "it says what to do next"


@pytest.mark.parametrize("fault", FAULTS)
def test_predefined_render_succeeds_after_one_machine_fault(submit, work, row, kernel, monkeypatch, fault):
    made = submit()
    with monkeypatch.context() as patch:
        FAULTS[fault](patch, kernel)
        again = execution.render_execute(str(made.render.id), 1)
    kernel.outcome, kernel.during = {}, lambda: None
    assert (again.id, again.attempt, row(again).state) == (made.render.id, 2, RenderState.QUEUED)
    job_queue.render_enqueue(again)
    work()
    assert (row(again).state, row(again).losses) == (RenderState.SUCCEEDED, 1)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "killed_by_system"])
def test_custom_code_is_not_retried(submit, work, row, kernel, monkeypatch, settings, fault):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    made = submit(type_key="custom", code="print(1)")
    FAULTS[fault](monkeypatch, kernel)
    work()
    render = row(made.render)
    assert (render.attempt, render.reason) == (1, fault.partition(" ")[0])
    assert "not started again automatically" in render.message


def test_code_that_kills_itself_is_not_a_machine_fault(submit, work, row, kernel, settings):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    made = submit(type_key="custom", code="print(1)")
    kernel.outcome = KILLED
    work()
    assert (row(made.render).reason, row(made.render).attempt) == ("kernel_died", 1)


def test_out_of_memory_kill_is_detected_from_vmstat(submit, work, row, kernel, settings, tmp_path):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    made = submit(type_key="custom", code="print(1)")
    kernel.outcome = KILLED
    counts = tmp_path / "vmstat"
    counts.write_text("nr_free_pages 5\noom_kill 3\n")
    kernel.during = lambda: counts.write_text("nr_free_pages 5\noom_kill 4\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine_faults, "VMSTAT", counts)
        work()
    assert row(made.render).reason == "killed_by_system"
    assert "ran out of memory" in row(made.render).message


def test_disk_full_message_from_user_code_is_a_user_error(submit, work, row, kernel):
    kernel.outcome = {"state": "failed", "reason": "user_error", "message": "No space left on device", "html": None}
    made = submit()
    work()
    assert (row(made.render).reason, row(made.render).attempt) == ("user_error", 1)


def test_lone_surrogates_in_result_are_replaced(submit, work, row, kernel):
    """result.json may contain lone surrogates, which no database accepts."""
    text = "a\ud800b"
    kernel.outcome = {
        "state": "failed",
        "reason": "user_error",
        "message": text,
        "traceback": text,
        "log": text,
        "html": None,
    }
    made = submit()
    work()
    render = row(made.render)
    assert (render.reason, render.message, render.traceback, render.log) == ("user_error", "a?b", "a?b", "a?b")


def test_worker_pauses_while_work_directory_is_unusable(queue, monkeypatch, client, browser, admin, kernel):
    monkeypatch.setattr(hosts, "work_root", raiser(OSError(errno.EROFS, "Read-only file system")))
    monkeypatch.setattr(hosts, "PAUSE_S", 1.0)
    worker = DeafWorker([queue], connection=queue.connection)
    worker.check_for_suspension(burst=False)
    assert client.get("/readyz").json()["workers"]["paused"] == 1
    assert browser(admin).get("/readyz").json()["workers"]["paused"] == [
        "The work directory cannot be used: Read-only file system."
    ]
    monkeypatch.undo()
    assert hosts.work_root_trouble() == ""


def test_worker_starts_with_unusable_work_directory(submit, queue, monkeypatch, row, kernel):
    made = submit()
    for module in (hosts, machine_faults):
        monkeypatch.setattr(module, "work_root", raiser(OSError(errno.EROFS, "Read-only file system")))
    DeafWorker([queue], connection=queue.connection).work(burst=True, logging_level="WARNING")
    assert (row(made.render).state, row(made.render).reason) == (RenderState.FAILED, "work_dir_failed")


@pytest.fixture
def odd_host(tmp_path):
    """Makes a render host whose interpreter is a shell script."""
    made = []

    def make(script, **spec):
        interpreter = tmp_path / "odd-python"
        interpreter.write_text(f"#!/bin/sh\n{script}\n")
        interpreter.chmod(0o755)
        given = {"run_dir": tmp_path / "run", "work_root": tmp_path, **spec}
        made.append(RenderHost(HostSpec(environment="tfx", interpreter=interpreter, **given)))
        return made[-1]

    yield make
    for host in made:
        host.leave()
    hosts_end(tmp_path / "run")


@pytest.mark.parametrize(
    ("script", "limit_s", "words"),
    [
        ("echo ImportError: libtf.so >&2; exit 1", 100, "ended 3 times while it started"),
        ("echo ImportError: libtf.so >&2; sleep 60", 1, "did not become ready within 1 s"),
    ],
)
def test_host_that_fails_to_start_reports_name_and_log(odd_host, script, limit_s, words):
    waits = []
    with pytest.raises(MachineError, match=words) as failure:
        hosts.host_await(odd_host(script, start_timeout_s=limit_s), lambda: waits.append(1))
    assert waits
    assert failure.value.code == "host_failed"
    assert "'tfx'" in str(failure.value)
    assert "ImportError: libtf.so" in str(failure.value)
    assert "environments build tfx" in str(failure.value)


def test_starting_environment_is_shown_and_extends_the_deadline(
    submit, row, kernel, monkeypatch, browser, owner, settings
):
    made = submit()
    settings.VIZPORTAL_HOST_START_S = 500
    seen = []

    def starting(_host, on_wait):
        on_wait()
        page = browser(owner).get(f"/renders/{made.render.id}/fragment").content.decode()
        seen.append(("Starting the environment base" in page, row(made.render).deadline))

    monkeypatch.setattr(execution, "host_await", starting)
    kernel.during = lambda: seen.append(live.live_read(system_caller(), made.render).phase)
    execution.render_execute(str(made.render.id), 1)
    (is_said, deadline), phase = seen
    assert (is_said, phase) == (True, "")
    assert (deadline - timezone.now()).total_seconds() > 500


def test_lease_thread_renews_with_its_own_connection(submit, monkeypatch):
    """The lease has its own thread and connection, so the worker's own work cannot block it."""
    made = submit()
    render = lease.render_claim(made.render.id, 1)
    monkeypatch.setattr(lease, "BEAT_EVERY_S", 0.01)
    beaten, holders = threading.Event(), []
    real = lease.connection_get

    def connection_get():
        holders.append(threading.current_thread().name)
        return real()

    monkeypatch.setattr(lease, "connection_get", connection_get)
    held = lease.Lease(render, lambda _silent_s: beaten.set())
    rows = SimpleNamespace(update=lambda **_values: 1)
    monkeypatch.setattr(lease, "Render", SimpleNamespace(objects=SimpleNamespace(filter=lambda **_which: rows)))
    with lease.lease_kept(held):
        assert beaten.wait(10)
    assert set(holders) <= {"lease"}
    assert not [each for each in threading.enumerate() if each.name == "lease"]


def test_live_worker_with_expired_lease_is_not_lost(submit, row, queue):
    """The database was full or unreachable for longer than a lease, then came back."""
    made = submit()
    render = lease.render_claim(made.render.id, 1)
    Render.objects.filter(id=render.id).update(lease_until=timezone.now() - timedelta(minutes=5))
    assert str(reconciliation.reconcile()) == "nothing to do"
    queue.connection.delete(*queue.connection.keys("vizportal:holder:*"))
    assert reconciliation.reconcile().tried_again == 1


def test_claim_failing_on_full_database_does_not_count_as_loss(submit, work, row, monkeypatch):
    made = submit()
    with monkeypatch.context() as patch:
        patch.setattr(lease, "CLAIM_PATIENCE_S", 0)
        full = raiser(OperationalError("database or disk is full"))
        patch.setattr(lease, "Render", SimpleNamespace(objects=SimpleNamespace(filter=full)))
        work()
    Render.objects.filter(id=made.render.id).update(queued_at=timezone.now() - timedelta(minutes=1))
    assert reconciliation.reconcile().enqueued == 1
    work()
    assert (row(made.render).state, row(made.render).losses) == (RenderState.SUCCEEDED, 0)


@pytest.mark.parametrize("jump_s", [3600, -3600])
def test_clock_change_neither_loses_live_nor_keeps_dead_renders(submit, row, queue, monkeypatch, jump_s):
    made = submit()
    lease.render_claim(made.render.id, 1)
    watch = reconciliation.ClockWatch()
    shift = timedelta(seconds=jump_s)
    real = timezone.now
    monkeypatch.setattr(
        reconciliation, "time", SimpleNamespace(time=lambda: time.time() + jump_s, monotonic=time.monotonic)
    )
    monkeypatch.setattr(reconciliation, "timezone", SimpleNamespace(now=lambda: real() + shift))
    # Keys in the queue server expire by the same clock.
    queue.connection.delete(*queue.connection.keys("vizportal:holder:*"))
    assert str(reconciliation.reconcile(watch)) == "nothing to do"
    later = shift + lease.LEASE + timedelta(seconds=1)
    monkeypatch.setattr(reconciliation, "timezone", SimpleNamespace(now=lambda: real() + later))
    assert reconciliation.reconcile(watch).tried_again == 1


def test_reconciler_waits_for_heartbeats_after_a_failed_pass(submit, row, queue, monkeypatch):
    made = submit()
    lease.render_claim(made.render.id, 1)
    Render.objects.filter(id=made.render.id).update(lease_until=timezone.now() - timedelta(minutes=5))
    queue.connection.delete(*queue.connection.keys("vizportal:holder:*"))
    watch = reconciliation.ClockWatch()
    watch.miss()
    assert str(reconciliation.reconcile(watch)) == "nothing to do"
    ahead_s = 4 * lease.BEAT_EVERY_S
    clocks = SimpleNamespace(time=lambda: time.time() + ahead_s, monotonic=lambda: time.monotonic() + ahead_s)
    monkeypatch.setattr(reconciliation, "time", clocks)
    assert reconciliation.reconcile(watch).tried_again == 1


def test_dead_worker_is_detected_within_forty_seconds():
    """Checks the constants: a full lease, then the longest wait for a pass or for its lock."""
    from apps.visualizations.management.commands.reconcile import Command

    every = Command().create_parser("manage.py", "reconcile").parse_args([]).every
    assert lease.LEASE.total_seconds() + every < 40 - 10
    assert reconciliation.LOCK_S + every < 40 - 10
    assert lease.LEASE.total_seconds() > lease.BEAT_EVERY_S * 4


def test_unknown_os_error_is_an_internal_error(submit, work, row, kernel):
    kernel.during = raiser(OSError(errno.EIO, os.strerror(errno.EIO)))
    made = submit()
    work()
    assert row(made.render).reason == "internal_error"
