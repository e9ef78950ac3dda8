"""The priority of renders: below host, worker and web server, and lower still once they have run for a while."""

from __future__ import annotations

import contextlib
import os
from typing import Final

# Nice values: of a render, and of one that has run for a while.
_RENDER: Final = 5
_LONG: Final = 15


def lower_own() -> None:
    """Gives the calling process, and what it starts from now on, the priority of a render."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, max(_RENDER, os.getpriority(os.PRIO_PROCESS, 0)))
    # The process leads a session, and where the kernel groups processes by session (sched(7), autogroup) that has a
    # nice value of its own. It is reset by whoever may write the file, which a render may not.
    _set_session(os.getpid(), _RENDER)


def lower(leader: int) -> bool:
    """Gives a render's process group the priority of one that has run for a while.

    A process that is forked at the same moment may keep the old one; its session counts as a whole where there are
    autogroups or control groups.

    Returns:
        False where that of its session was not set: try again later.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PGRP, leader, _LONG)
    return _set_session(leader, _LONG)


def _set_session(pid: int, nice: int) -> bool:
    """Returns False where it has to be tried again: for users without privileges the kernel takes ten a second."""
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
