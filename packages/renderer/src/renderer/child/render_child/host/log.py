"""The log of a host and of its supervisor: their standard error, a file on the disk of the data directory."""

from __future__ import annotations

import contextlib
import os
from typing import Final

_STDERR: Final = 2


def log(line: str) -> None:
    """Writes a line; the line is lost if the disk is full.

    Bypasses `sys.stderr`, which would keep what it could not write and raise the same error again later.
    """
    with contextlib.suppress(OSError):
        os.write(_STDERR, f"{line}\n".encode(errors="replace"))
