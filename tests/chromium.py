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

    Don't keep it longer than a module: Playwright has a running event loop in this thread. Meanwhile no second loop can
    start, and Django's ORM refuses to work by default.
    """
    path = executable()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    # The default of five seconds is too short if several suites share two cores. A missing element still fails.
    expect.set_options(timeout=30_000)
    try:
        with sync_playwright() as playwright:
            launched = playwright.chromium.launch(executable_path=path, args=_FLAGS)
            yield launched
            launched.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def wait_redrawn(page: Any) -> None:
    """Waits until htmx has redrawn a part of the page."""
    page.evaluate("() => { window.drawn = 0; addEventListener('htmx:afterSettle', () => { window.drawn += 1; }); }")
    page.wait_for_function("() => window.drawn > 0")
