"""The queue pages in a real browser, in both themes, wide and narrow; the list updates by itself."""

import pytest
from playwright.sync_api import expect

from apps.visualizations.models import Render
from apps.visualizations.states import RenderState
from tests.chromium import chromium
from tests.looks import LOOKS, check, open_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_administrator_pauses_cancels_and_views_statistics(live_server, browser, admin, owner, submit, work, kernel):
    submit()
    work()
    kernel.outcome = {"state": "failed", "reason": "cell_error", "message": "No.", "html": None}
    submit(force=True)
    work()
    with chromium() as driven:
        for theme, width in LOOKS:
            running = submit(force=True).render
            Render.objects.filter(id=running.id).update(state=RenderState.RUNNING, started_at=running.queued_at)
            submit(user=admin, force=True)
            page = open_page(driven, live_server.url, browser(admin), theme=theme, width=width)
            page.goto("/reports/")
            page.get_by_role("link", name="Queue").press("Enter")
            page.get_by_label("Reason").fill("New disks until noon")
            page.get_by_label("Reason").press("Enter")
            expect(page.get_by_text("All queues are paused.")).to_be_visible()
            expect(page.get_by_text("Paused. 1 still runs.")).to_be_visible()
            check(page)
            page.get_by_role("button", name="Resume all queues").press("Enter")
            expect(page.get_by_text("All queues are paused.")).to_have_count(0)
            page.get_by_role("button", name="Cancel").last.press("Enter")
            expect(page.get_by_text("1 running, 0 waiting")).to_be_visible()
            Render.objects.filter(id=running.id).update(state=RenderState.SUCCEEDED)
            # The list updates without a click.
            expect(page.get_by_text("Nothing runs or waits here.").first).to_be_visible()
            check(page)
            page.get_by_role("link", name="Statistics").press("Enter")
            expect(page.get_by_role("heading", name="Storage by person")).to_be_visible()
            check(page)
            page.context.close()
