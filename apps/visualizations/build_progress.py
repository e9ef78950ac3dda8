"""Lines about the build of an environment, for people who wait for it: also in a log, where nothing is drawn twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

EVERY_S: Final = 5.0
# uv names each package that it installed; there are more than a hundred.
_PACKAGE_LINES: Final = (" + ", " - ", " ~ ")


@contextmanager
def build_told(
    key: str, say: Callable[[str], None], *, every_s: float | None = EVERY_S
) -> Iterator[Callable[[str], None]]:
    """Yields a function for the lines of a build, which says them, and every few seconds that it still goes on.

    Args:
        key: the environment's.
        say: prints a line.
        every_s: None where something else shows that it goes on, such as bars on a terminal.
    """
    began = time.monotonic()
    lock, is_over = threading.Lock(), threading.Event()

    def tell(line: str) -> None:
        if line.strip() and not line.startswith(_PACKAGE_LINES):
            with lock:
                say(f"  {line}")

    def remind() -> None:
        while not is_over.wait(every_s):
            tell(f"still building {key}, {time.monotonic() - began:.0f} s")

    reminder = threading.Thread(target=remind, name="build-progress", daemon=True)
    reminder.start()
    try:
        yield tell
    finally:
        is_over.set()
        reminder.join()
