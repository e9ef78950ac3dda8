"""Checks pages in both themes and widths: axe reports nothing, and nothing is wider than the window."""

from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings

LOOKS: Final = (("light", 1440), ("dark", 390))
"""Both themes and both widths. Neither changes what the other does, so two pairs see as much as four."""


def open_page(driven: Any, url: str, client: Any = None, *, theme: str = "light", width: int = 1440) -> Any:
    """Opens a page in a new browser context, which the caller closes.

    Args:
        url: the site's URL. The page's addresses may be relative to it.
        client: a test client whose session the page uses; None for an anonymous user.
    """
    context = driven.new_context(color_scheme=theme, viewport={"width": width, "height": 900}, base_url=url)
    if client is not None:
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
    return context.new_page()


def violations(page: Any) -> list[tuple[str, list[str]]]:
    """Returns axe's violations on an open page: rules, each with the elements that break it."""
    found = Axe().run(page).response["violations"]
    return [(each["id"], [node["html"][:200] for node in each["nodes"][:4]]) for each in found]


def check(page: Any) -> None:
    """Fails if axe reports violations or the page is wider than its window."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than its window"
