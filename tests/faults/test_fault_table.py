"""Each fault with five predefined and two custom renders running: none is stuck, none ends without its reason.

All pairs of kills with FAULTS=all; else each kind once, and the pairs that reach the same parts in other ways.
"""

import contextlib
import itertools
import json
import os
import resource
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.faults.house import CUSTOM, PREDEFINED, installation
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.installation,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount small disks"),
]
KINDS = ("worker", "host", "supervisor", "web", "reconciler", "queue")
FEW = [("worker", "supervisor"), ("host", "web"), ("reconciler", "queue")]
PAIRS = list(itertools.combinations(KINDS, 2)) + [(kind,) for kind in KINDS]
CHOSEN = PAIRS if os.environ.get("FAULTS") == "all" else FEW
SETTLED_S = 45
LOST = {"", "worker_lost"}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    directory = tmp_path_factory.mktemp("faults")
    with installation(directory) as found:
        yield found
        # The disks go away with the installation.
        shutil.copytree(found.portal.data_dir / "logs", directory / "logs")


@pytest.fixture(autouse=True)
def whole(house):
    wait_until(house.is_whole, 60, "the installation")


@contextlib.contextmanager
def filled(folder):
    """Takes all the room of a disk, down to the last piece."""
    path = Path(folder) / ".filler"
    with path.open("wb", buffering=0) as file:
        for size in (1024**2, 4096):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    try:
        yield
    finally:
        path.unlink()


@contextlib.contextmanager
def killed(house, kinds):
    for kind in kinds:
        house.kill(kind)
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
    """The workers may open nothing more: neither the store's files nor a directory for the next attempt."""
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
    # The second attempt may find the room that the first ones left.
    "Kubeflow stopped": (lambda house: stopped(house, "localkfp", 6), LOST, LOST),
    "no descriptors": (no_descriptors, {"", "no_descriptors"}, {"", "no_descriptors"}),
    "work full": (lambda house: filled(house.work), {"", "work_disk_full"}, {"work_disk_full"}),
}


@pytest.mark.timeout(200)
@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_stuck_and_each_end_has_its_reason(house, fault, record_property):
    inject, predefined, custom = FAULTS[fault]
    ids = house.start_renders()
    with inject(house):
        seconds = house.settle(ids)
    ends = house.rows(ids)
    by_kind = {
        each: [ends[name.replace("-", "")] for name in chosen]
        for each, chosen in (("predefined", ids[:PREDEFINED]), ("custom", ids[PREDEFINED:]))
    }
    table = {name: sorted({f"{state} {reason}" for state, reason, *_ in rows}) for name, rows in by_kind.items()}
    print(f"FAULT {json.dumps({'fault': fault, 'settled_s': round(seconds, 1), **table})}")
    assert seconds < SETTLED_S
    assert {reason for _, reason, *_ in by_kind["predefined"]} <= predefined
    assert {reason for _, reason, *_ in by_kind["custom"]} <= custom
    assert all(message for state, _, message, _ in ends.values() if state != "succeeded")
    if predefined == LOST:
        assert {state for state, *_ in by_kind["predefined"]} == {"succeeded"}
    assert len(by_kind["custom"]) == CUSTOM
