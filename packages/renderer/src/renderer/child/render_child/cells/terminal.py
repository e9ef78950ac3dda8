"""Runs `!command` in a sandbox, where IPython cannot open the terminal that it would use."""

from __future__ import annotations

import codecs
import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from typing import Final

_SIZE: Final = (24, 80)
_LOOK_S: Final = 0.05


class Terminal:
    """A terminal opened before the render confines itself; a pipe if there is none."""

    def __init__(self) -> None:
        try:
            self._outer, self._inner = os.openpty()
        except OSError:
            self._outer, self._inner = os.pipe()
        else:
            fcntl.ioctl(self._inner, termios.TIOCSWINSZ, struct.pack("HHHH", *_SIZE, 0, 0))
        os.set_blocking(self._outer, False)

    def run(self, command: str) -> int:
        """Runs a shell command and prints its output as it arrives, like IPython's own `system`.

        Returns:
            The exit code; negative for a signal.
        """
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=self._inner if os.isatty(self._inner) else subprocess.DEVNULL,
            stdout=self._inner,
            stderr=self._inner,
        )
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        is_over = False
        while not is_over:
            is_over = process.poll() is not None
            self._pass_on(decoder, 0 if is_over else _LOOK_S)
        # A shell reports a program that a signal ended as 128 plus the signal's number.
        code = process.returncode
        return 128 - code if code > 128 else code

    def _pass_on(self, decoder: codecs.IncrementalDecoder, wait_s: float) -> None:
        while select.select([self._outer], [], [], wait_s)[0]:
            piece = b""
            with suppress(BlockingIOError):
                piece = os.read(self._outer, 65536)
            if not piece:
                break
            print(decoder.decode(piece), end="")  # noqa: T201  (that is what it is for)
            wait_s = 0
        sys.stdout.flush()
