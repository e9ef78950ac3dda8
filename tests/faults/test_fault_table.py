"""Each fault hits seven running renders: none may get stuck or end without the right reason.

FAULTS=all runs all faults, in eight minutes. By default a selection kills each kind of process once.
"""

import contextlib
import itertools
import json
import os
import resource
import shutil
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from tests.faults.installation import CUSTOM, PREDEFINED, installation
from tests.postgres import DURABLE, postgres_server
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.installation,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount small disks"),
]
KINDS = ("worker", "host", "supervisor", "web", "reconciler", "queue")
FEW = [("host", "web"), ("reconciler", "queue")]
# Without a PID namespace no process is left to end the renders, so only their rows are checked.
ALL_WHO_END_RENDERS = ("worker", "host", "supervisor")
PAIRS = list(itertools.combinations(KINDS, 2)) + [(kind,) for kind in KINDS]
IS_WHOLE = os.environ.get("FAULTS") == "all"
CHOSEN = [*(PAIRS if IS_WHOLE else FEW), ALL_WHO_END_RENDERS]
SETTLED_S = 45
LOST = {"", "worker_lost"}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    directory = tmp_path_factory.mktemp("faults")
    with installation(directory) as found:
        yield found
        # The disks disappear with the installation.
        shutil.copytree(found.portal.data_dir / "logs", directory / "logs")


@pytest.fixture(scope="module")
def house_on_postgres(tmp_path_factory):
    with postgres_server(DURABLE) as server, installation(tmp_path_factory.mktemp("postgres"), server.url) as found:
        yield found, server


@contextlib.contextmanager
def filled(folder):
    """Fills a disk completely, including space that others free meanwhile."""
    path, is_over = Path(folder) / ".filler", threading.Event()

    def fill():
        with path.open("wb", buffering=0) as file:
            while not is_over.wait(0.05):
                for size in (1024**2, 4096):
                    with contextlib.suppress(OSError):
                        while True:
                            file.write(b"x" * size)

    filling = threading.Thread(target=fill)
    filling.start()
    try:
        yield
    finally:
        is_over.set()
        filling.join()
        path.unlink()


@contextlib.contextmanager
def killed(house, kinds):
    house.kill(kinds)
    yield


@contextlib.contextmanager
def restarted(server):
    """Stops PostgreSQL as `pg_ctl stop -m immediate` does and starts it again: it recovers from its log."""
    server.stop(signal.SIGQUIT)
    time.sleep(2)
    server.start()
    yield


@contextlib.contextmanager
def stopped(house, kind, seconds):
    pids = house.pids(kind)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    yield


@contextlib.contextmanager
def full_queue(house):
    queue = house.queue()
    queue.config_set("maxmemory", "1")
    time.sleep(6)
    queue.config_set("maxmemory", "0")
    yield


@contextlib.contextmanager
def flushed(house):
    house.queue().flushall()
    yield


@contextlib.contextmanager
def locked_database(house):
    with contextlib.closing(sqlite3.connect(house.database, timeout=30, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        time.sleep(12)
        database.execute("ROLLBACK")
    yield


@contextlib.contextmanager
def full_for(folder, seconds):
    with filled(folder):
        time.sleep(seconds)
    yield


@contextlib.contextmanager
def no_descriptors(house):
    """Limits the workers to the descriptors they have: they can open neither files nor directories."""
    workers = house.pids("worker")
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in workers}
    for pid, (_, most) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(list(Path(f"/proc/{pid}/fd").iterdir())), most))
    try:
        yield
    finally:
        for pid, limit in limits.items():
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)


FAULTS = {
    **{" and ".join(kinds): (lambda house, kinds=kinds: killed(house, kinds), LOST, LOST) for kinds in CHOSEN},
    "queue stopped": (lambda house: stopped(house, "queue", 6), LOST, LOST),
    "queue full": (full_queue, LOST, LOST),
    "queue flushed": (flushed, LOST, LOST),
    "database locked": (locked_database, LOST, LOST),
    "database full": (lambda house: full_for(house.portal.data_dir, 8), LOST, LOST),
    "results full": (lambda house: filled(house.results), {"store_full"}, {"store_full"}),
    # The second attempt may find space that the first ones freed.
    "Kubeflow stopped": (lambda house: stopped(house, "localkfp", 6), LOST, LOST),
    "no descriptors": (no_descriptors, {"", "no_descriptors"}, {"", "no_descriptors"}),
    "work full": (lambda house: filled(house.work), {"", "work_disk_full"}, {"work_disk_full"}),
}
# Other tests cover their parts; without them this file takes less than three minutes.
LEFT_OUT = set() if IS_WHOLE else {"queue flushed", "database locked", "Kubeflow stopped", "work full"}


@pytest.mark.timeout(200)
@pytest.mark.parametrize("fault", [each for each in FAULTS if each not in LEFT_OUT])
def test_renders_end_with_the_right_reason_after_each_fault(house, fault):
    inject, predefined, custom = FAULTS[fault]
    judge(house, fault, inject(house), predefined, custom)


@pytest.mark.timeout(300)
def test_renders_end_after_a_restart_of_postgresql(house_on_postgres):
    house, server = house_on_postgres
    judge(house, "PostgreSQL restarted", restarted(server), LOST, LOST)


def judge(house, fault, injected, predefined, custom):
    """Injects a fault while renders run, and checks that they end with the allowed reasons."""
    wait_until(house.is_whole, 60, "the installation")
    termination = house.portal.get("/readyz")["sandbox"]["termination"]
    ids = house.start_renders()
    with injected:
        seconds = house.settle(ids)
    ends = house.rows(ids)
    by_kind = {
        "predefined": [ends[each] for each in ids[:PREDEFINED]],
        "custom": [ends[each] for each in ids[PREDEFINED:]],
    }
    table = {name: sorted(f"{state} {reason}".strip() for state, reason, *_ in rows) for name, rows in by_kind.items()}
    print(f"FAULT {json.dumps({'fault': fault, 'settled_s': round(seconds, 1), **table})}")
    assert seconds < SETTLED_S
    assert {reason for _, reason, *_ in by_kind["predefined"]} <= predefined
    assert {reason for _, reason, *_ in by_kind["custom"]} <= custom
    assert all(message for state, _, message, _ in ends.values() if state != "succeeded")
    if predefined == LOST:
        assert {state for state, *_ in by_kind["predefined"]} == {"succeeded"}
    assert len(by_kind["custom"]) == CUSTOM
    if fault != " and ".join(ALL_WHO_END_RENDERS) or termination == ["namespace"]:
        wait_until(lambda: not house.left_running(), 10, f"the end of what renders started: {house.left_running()}")
