"""Measures the next user's render while a fork bomb, a memory hog, a disk filler and a busy loop run.

The result is reported but not asserted, since it depends on this machine and its other load.
"""

import statistics
import threading
import time
import uuid

import renderer
from renderer.clearing import tree_remove

from tests.jobs import make_job

# Each stays within its limits, so that it is not ended. This measures what they leave for others.
HOGS = {
    "fork bomb": """
import os, time
for _ in range(6):
    os.fork()
until = time.monotonic() + 60
while time.monotonic() < until:
    pass
""",
    "memory hog": """
import os, time
until = time.monotonic() + 60
while time.monotonic() < until:
    blocks = [bytearray(os.urandom(4096) * 256) for _ in range(400)]
""",
    "disk filler": """
import os, time
until = time.monotonic() + 60
while time.monotonic() < until:
    with open("large", "wb") as file:
        for _ in range(100):
            file.write(os.urandom(1024) * 1024)
        os.fsync(file.fileno())
""",
    "busy loop": "while True: pass",
}
_RENDER = "import pandas\npandas.DataFrame({'a': range(1000), 'b': range(1000)}).describe()"
# Rare slow renders are found only among many.
_ROUNDS = 40
_ROUNDS_ALONE = 7


def measure(arena):
    """Returns a line with the seconds of a render alone and beside the four, and their ratio.

    Args:
        arena: an arena whose host has one more slot than there are hogs.
    """
    _seconds(arena)
    alone = statistics.median(_seconds(arena) for _ in range(_ROUNDS_ALONE))
    is_over = threading.Event()
    hogs = [threading.Thread(target=_run, args=(arena, code, is_over.is_set)) for code in HOGS.values()]
    for each in hogs:
        each.start()
    try:
        _wait_until_running(arena, len(hogs))
        beside = [_seconds(arena) for _ in range(_ROUNDS)]
    finally:
        is_over.set()
        for each in hogs:
            each.join()
    middle = statistics.median(beside)
    return (
        f"{arena.mode.label}: a render takes {alone:.3f} s alone, beside {len(HOGS)} hogs {middle:.3f} s "
        f"(at most {max(beside):.3f} s): {middle / alone:.1f} times"
    )


def _wait_until_running(arena, count):
    until = time.monotonic() + 20
    while len(list(arena.stage.work_root.glob("render-*/progress"))) < count and time.monotonic() < until:
        time.sleep(0.05)
    # After this, their start no longer affects the measurement.
    time.sleep(2)


def _seconds(arena):
    began = time.monotonic()
    outcome = _run(arena, _RENDER, lambda: False)
    assert outcome.state == "succeeded", outcome.message
    return time.monotonic() - began


def _run(arena, code, is_cancelled):
    directory = arena.stage.work_root / f"render-{uuid.uuid4().hex[:12]}"
    directory.mkdir(mode=0o700)
    order = make_job(code=code, variables={}, timeout_s=90, max_memory_bytes=1024**3)
    try:
        return renderer.render(
            order,
            host=renderer.RenderHost(arena.host.spec),
            directory=directory,
            on_progress=lambda _: None,
            is_cancelled=is_cancelled,
        )
    finally:
        tree_remove(directory)
