"""The priority of renders: below host, worker and web server, and lower still once they have run for a while."""

from __future__ import annotations

import contextlib
import os
from typing import Final

# Nice values of a render, and of one that has run for a while.
_RENDER: Final = 5
_LONG: Final = 15


def lower_own() -> None:
    """Gives the calling process, and what it starts from now on, the priority of a render."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, max(_RENDER, os.getpriority(os.PRIO_PROCESS, 0)))
    # The process leads a session. If the kernel groups processes by session (sched(7), autogroup), the session has a
    # nice value of its own. Any process that may write this file can reset it; a render may not.
    _set_session(os.getpid(), _RENDER)


def lower(leader: int) -> bool:
    """Gives a render's process group the priority of one that has run for a while.

    A process forked at the same moment may keep the old priority; with autogroups or control groups the session counts
    as a whole.

    Returns:
        False if the priority of its session was not set: try again later.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PGRP, leader, _LONG)
    return _set_session(leader, _LONG)


def _set_session(pid: int, nice: int) -> bool:
    """Returns False if it has to be retried: for unprivileged users the kernel allows ten changes a second."""
    try:
        descriptor = os.open(f"/proc/{pid}/autogroup", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, str(nice).encode())
        finally:
            os.close(descriptor)
    except BlockingIOError:
        return False
    except OSError:
        pass  # the kernel has no autogroups, or the process has ended
    return True
