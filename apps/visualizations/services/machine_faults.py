"""Machine faults that look like a render's own: how they are recognized, and their messages."""

from __future__ import annotations

import errno
import os
import re
import signal
import tempfile
from pathlib import Path
from typing import Final

from renderer import RenderOutcome

from apps.stores.streamed import StoreAwayError, StoreFullError
from apps.visualizations.exceptions import MachineError
from apps.visualizations.models import Render
from apps.visualizations.services.hosts import work_root
from apps.visualizations.states import Reason, RenderState

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_DESCRIPTORS: Final = frozenset({errno.EMFILE, errno.ENFILE})
_LEAST_FREE_BYTES: Final = 1024**2
_LEAST_FREE_FILES: Final = 16
# Messages of programs that met a full disk. They count only if the disk is in fact full.
_FULL_WORDS: Final = ("No space left on device", "Disk quota exceeded", "Errno 28", "Errno 122")
_FULL_NEAR_BYTES: Final = 64 * 1024**2
# Reasons that a full disk can cause.
_SUSPECTED: Final = frozenset({Reason.USER_ERROR, Reason.KERNEL_DIED, Reason.BAD_RESULT, Reason.DISK_FULL})
_CODE: Final = re.compile(r"\[Errno (\d+)\]")
VMSTAT: Final = Path("/proc/vmstat")
_STORE_FULL: Final = (
    "It was rendered, but could not be kept: the store of results has no room left. The code is not at fault. "
    "An administrator has to free space there (manage.py prune); then render it again."
)
_STORE_AWAY: Final = (
    "It was rendered, but could not be kept: the store of results did not answer. The code is not at fault. "
    "Render it again once the store answers."
)
_WORK_FULL: Final = (
    "The disk of the machine that renders is full. The code is not at fault: it stayed within its own limit. "
    "An administrator has to free space in VIZPORTAL_DATA_DIR; then render it again."
)
_NO_MEMORY: Final = (
    "The system ended its process because the machine ran out of memory. The code stayed within its own limit. "
    "Render it again when the machine is less busy, or ask an administrator for fewer workers or more memory."
)
_KILLED: Final = (
    "The system ended its process (SIGKILL); neither the portal nor a limit of this render did. "
    "The machine may have run out of memory. Render it again when it is less busy."
)
_DESCRIPTORS: Final = (
    "The worker had no file descriptors left. The code is not at fault. "
    "An administrator can raise the limit of open files (ulimit -n) and start the workers again."
)


def work_dir_make(render: Render) -> Path:
    """Creates the work directory of one attempt.

    Raises:
        MachineError: the disk is full, or the work root is not writable.
    """
    try:
        return Path(tempfile.mkdtemp(prefix=f"{render.id}.{render.attempt}.", dir=work_root()))
    except OSError as error:
        raise fault_of(error) or work_dir_fault(error) from error


def work_dir_fault(error: OSError) -> MachineError:
    """Returns the fault for a work directory that cannot be used."""
    words = error.strerror or type(error).__name__
    message = (
        f"The machine that renders cannot use its work directory ({words}). The code is not at fault. "
        "An administrator has to make VIZPORTAL_DATA_DIR writable; then render it again."
    )
    return MachineError(message, code=Reason.WORK_DIR_FAILED)


def fault_of(error: OSError) -> MachineError | None:
    """Maps an error of the portal's own file access to a machine fault; None if it is no known one."""
    if isinstance(error, StoreFullError):
        return MachineError(_STORE_FULL, code=Reason.STORE_FULL)
    if isinstance(error, StoreAwayError):
        return MachineError(_STORE_AWAY, code=Reason.STORE_FAILED)
    codes = _codes(error)
    if codes & _FULL:
        return MachineError(_WORK_FULL, code=Reason.WORK_DISK_FULL)
    if codes & _NO_DESCRIPTORS:
        return MachineError(_DESCRIPTORS, code=Reason.NO_DESCRIPTORS)
    return None


def _codes(error: OSError) -> set[int]:
    if error.errno is not None:
        return {error.errno}
    # shutil.copytree collects the errors of all files as texts.
    return {int(code) for code in _CODE.findall(str(error))}


def kills_for_memory() -> int:
    """Returns how many processes the system has killed for lack of memory; 0 if it does not say."""
    try:
        lines = VMSTAT.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def outcome_fault(
    outcome: RenderOutcome, directory: Path, *, is_custom: bool, kills_before: int
) -> MachineError | None:
    """Returns the machine fault behind an outcome that looks like the code's fault; None if there is none.

    Args:
        directory: the render's, not yet removed, so that whatever filled the disk is still there.
        is_custom: custom code may have sent the signal to itself, so a signal alone is not enough evidence.
        kills_before: result of `kills_for_memory` before the render ran.
    """
    if outcome.state != RenderState.FAILED:
        return None
    if outcome.reason in _SUSPECTED and _is_disk_full(outcome, directory):
        return MachineError(_WORK_FULL, code=Reason.WORK_DISK_FULL)
    # The host reports the signal; the child cannot forge it.
    if outcome.signal == signal.SIGKILL:
        if kills_for_memory() > kills_before:
            return MachineError(_NO_MEMORY, code=Reason.KILLED_BY_SYSTEM)
        if not is_custom:
            return MachineError(_KILLED, code=Reason.KILLED_BY_SYSTEM)
    return None


def _is_disk_full(outcome: RenderOutcome, directory: Path) -> bool:
    """Whether the whole disk is full, not just the render's own quota (which has the reason `disk_full`)."""
    try:
        found = os.statvfs(directory)
    except OSError:
        return False
    free_bytes = found.f_bavail * found.f_frsize
    if free_bytes < _LEAST_FREE_BYTES or (found.f_files and found.f_favail < _LEAST_FREE_FILES):
        return True
    text = f"{outcome.message}{outcome.traceback[-2000:]}{outcome.log[-2000:]}"
    return free_bytes < _FULL_NEAR_BYTES and any(words in text for words in _FULL_WORDS)
