"""Switches to an unprivileged user who can still read the files that the portal needs.

Only root can do this. Python's installation may be in root's home, which other users may not enter, so a mount
namespace of this process shows only that part.
"""

import ctypes
import os
import sys
from pathlib import Path

NOBODY = 65534
_CLONE_NEWNS = 0x20000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18


def become(user):
    """Switches to that user permanently. "root" changes nothing, nor does "user" for an unprivileged process.

    Raises:
        OSError: root's privileges are not sufficient here.
    """
    if user == "root" or os.getuid():
        return
    _show_interpreter()
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    os.environ.update(HOME="/nonexistent", TMPDIR="/tmp")
    # A change of user removes these, but the suite reads its own children in /proc.
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)


def _show_interpreter():
    """Hides root's home in a namespace of this process, except for the Python installation in it."""
    home = Path("/root")
    prefix = Path(sys.base_prefix).resolve()
    if not prefix.is_relative_to(home) or home.stat().st_mode & 0o005 == 0o005:
        return
    kept = home / prefix.relative_to(home).parts[0]
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(_CLONE_NEWNS))
    _check(libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None))
    # Open it in the new namespace, since mounts of another namespace cannot be bound.
    descriptor = os.open(kept, os.O_PATH | os.O_DIRECTORY)
    _check(libc.mount(b"tmpfs", bytes(home), b"tmpfs", 0, b"mode=755"))
    kept.mkdir()
    _check(libc.mount(f"/proc/self/fd/{descriptor}".encode(), bytes(kept), None, _MS_BIND | _MS_REC, None))
    os.close(descriptor)


def _check(result):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
