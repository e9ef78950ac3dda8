"""The queue's pages in a real browser: both themes, wide and narrow; the list is drawn again by itself."""

import itertools

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import expect

from apps.visualizations.models import Render
from apps.visualizations.states import RenderState
from tests.chromium import chromium

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKS = list(itertools.product(("light", "dark"), (1440, 390)))


def check(page, path):
    """Looks for what axe reports, and for a page that is wider than its window."""
    page.screenshot(path=path, full_page=True)
    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_administrator_pauses_cancels_and_looks_at_statistics(
    live_server, browser, admin, owner, submit, work, kernel, tmp_path
):
    submit()
    work()
    kernel.outcome = {"state": "failed", "reason": "cell_error", "message": "No.", "html": None}
    submit(force=True)
    work()
    session = browser(admin).cookies[settings.SESSION_COOKIE_NAME].value
    with chromium() as driven:
        for theme, width in LOOKS:
            running = submit(force=True).render
            Render.objects.filter(id=running.id).update(state=RenderState.RUNNING, started_at=running.queued_at)
            submit(user=admin, force=True)
            context = driven.new_context(color_scheme=theme, viewport={"width": width, "height": 900})
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
            page = context.new_page()
            page.goto(f"{live_server.url}/reports/")
            page.get_by_role("link", name="Queue").press("Enter")
            page.get_by_label("Reason").fill("New disks until noon")
            page.get_by_label("Reason").press("Enter")
            expect(page.get_by_text("All queues are paused.")).to_be_visible()
            expect(page.get_by_text("Paused. 1 still runs.")).to_be_visible()
            check(page, tmp_path / f"queue-{theme}-{width}.png")
            page.get_by_role("button", name="Resume all queues").press("Enter")
            expect(page.get_by_text("All queues are paused.")).to_have_count(0)
            page.get_by_role("button", name="Cancel").last.press("Enter")
            expect(page.get_by_text("1 running, 0 waiting")).to_be_visible()
            Render.objects.filter(id=running.id).update(state=RenderState.SUCCEEDED)
            # Drawn again without a click.
            expect(page.get_by_text("Nothing runs or waits here.").first).to_be_visible()
            check(page, tmp_path / f"empty-{theme}-{width}.png")
            page.get_by_role("link", name="Statistics").press("Enter")
            expect(page.get_by_role("heading", name="Storage by person")).to_be_visible()
            check(page, tmp_path / f"statistics-{theme}-{width}.png")
            context.close()
