"""Finds out from the kernel whether a process of a render is left.

Every process of an attack inherits an open FIFO. A non-blocking open of the FIFO for writing fails with ENXIO if and
only if no process has it open for reading. This holds however short a process lives and wherever it moved: to another
session, parent or namespace.
"""

import errno
import os
import signal
import time
from contextlib import suppress
from pathlib import Path


def is_anybody_left(lifeline):
    """Returns whether a process has the FIFO open."""
    try:
        os.close(os.open(lifeline, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return False
    return True


def find(lifeline, directory, mark):
    """Returns processes in /proc that have the render's FIFO, directory or mark."""
    wanted = lifeline.stat()
    return [pid for pid in _processes() if _belongs(pid, (wanted.st_dev, wanted.st_ino), str(directory), mark)]


def end_all(lifeline, directory, mark, patience_s=90):
    """Ends the processes that are left. Waits for fork chains, whose length is limited in each program."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        for pid in find(lifeline, directory, mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not is_anybody_left(lifeline) and not find(lifeline, directory, mark):
            return
        time.sleep(0.01)
    raise AssertionError(f"processes of an attack could not be ended: {find(lifeline, directory, mark)}")


def _processes():
    names = (path.name for path in Path("/proc").iterdir())
    return [int(name) for name in names if name.isdecimal() and int(name) != os.getpid()]


def _belongs(pid, fifo, directory, mark):
    base = Path("/proc", str(pid))
    with suppress(OSError):
        if mark.encode() in (base / "environ").read_bytes():
            return True
    with suppress(OSError):
        if str((base / "cwd").readlink()).startswith(directory):
            return True
    with suppress(OSError):
        for each in (base / "fd").iterdir():
            with suppress(OSError):
                status = each.stat()
                if (status.st_dev, status.st_ino) == fifo:
                    return True
    return False
