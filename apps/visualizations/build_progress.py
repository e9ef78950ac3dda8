"""Progress lines for building an environment, fit for terminals and logs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

EVERY_S: Final = 5.0
# uv prints a line for each installed package; there are more than a hundred.
_PACKAGE_LINES: Final = (" + ", " - ", " ~ ")


@contextmanager
def build_told(
    key: str, say: Callable[[str], None], *, every_s: float | None = EVERY_S
) -> Iterator[Callable[[str], None]]:
    """Yields a function that prints a build's lines; meanwhile a reminder is printed every few seconds.

    Args:
        key: key of the environment.
        say: prints a line.
        every_s: seconds between reminders; None if something else shows progress, such as bars on a terminal.
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
