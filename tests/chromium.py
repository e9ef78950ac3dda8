"""The system's Chromium, driven by Playwright."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import expect, sync_playwright

_PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
_FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]


def executable() -> str:
    """Returns the path of the system's browser."""
    path = next((each for each in _PLACES if Path(each).exists()), None)
    assert path, "Chromium is not installed"
    return path


@contextmanager
def chromium() -> Iterator[Any]:
    """Yields a headless browser.

    Keep it no longer than a module: Playwright holds a running event loop in this thread, beside which neither a second
    one can start nor Django's ORM works unasked.
    """
    path = executable()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    # Its own five seconds are few where several suites share two cores; what is not there fails as surely, only later.
    expect.set_options(timeout=30_000)
    try:
        with sync_playwright() as playwright:
            launched = playwright.chromium.launch(executable_path=path, args=_FLAGS)
            yield launched
            launched.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def wait_redrawn(page: Any) -> None:
    """Waits until a part of the page was drawn once more by htmx."""
    page.evaluate("() => { window.drawn = 0; addEventListener('htmx:afterSettle', () => { window.drawn += 1; }); }")
    page.wait_for_function("() => window.drawn > 0")
