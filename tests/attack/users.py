"""Becoming a user without privileges, with what the portal needs still readable.

As root only. Python's own installation may lie in root's home, which others may not enter; a mount namespace of this
process shows just that part of it.
"""

import ctypes
import os
import sys
from pathlib import Path

NOBODY = 65534
_CLONE_NEWNS = 0x20000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18


def become(user):
    """Becomes that user for good: "root" changes nothing, and so does "user" for who is none.

    Raises:
        OSError: root's rights do not suffice for it here.
    """
    if user == "root" or os.getuid():
        return
    _show_interpreter()
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    os.environ.update(HOME="/nonexistent", TMPDIR="/tmp")
    # A change of user takes these away; the suite looks at its own children in /proc.
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)


def _show_interpreter():
    """Hides root's home in a namespace of this process, but for the Python installation in it."""
    home = Path("/root")
    prefix = Path(sys.base_prefix).resolve()
    if not prefix.is_relative_to(home) or home.stat().st_mode & 0o005 == 0o005:
        return
    kept = home / prefix.relative_to(home).parts[0]
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(_CLONE_NEWNS))
    _check(libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None))
    # Opened in the new namespace: mounts of another one cannot be bound.
    descriptor = os.open(kept, os.O_PATH | os.O_DIRECTORY)
    _check(libc.mount(b"tmpfs", bytes(home), b"tmpfs", 0, b"mode=755"))
    kept.mkdir()
    _check(libc.mount(f"/proc/self/fd/{descriptor}".encode(), bytes(kept), None, _MS_BIND | _MS_REC, None))
    os.close(descriptor)


def _check(result):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
