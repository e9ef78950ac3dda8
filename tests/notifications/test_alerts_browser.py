"""Alerts in a real browser: from a result to an alert by keyboard, in both themes, wide and narrow."""

import itertools

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import expect

from apps.notifications.models import AlertEvent
from tests.chromium import chromium

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKS = list(itertools.product(("light", "dark"), (1440, 390)))


def check(page, path):
    """Looks for what axe reports, and for a page that is wider than its window."""
    page.screenshot(path=path, full_page=True)
    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_by_keyboard_from_a_result_to_an_alert_and_a_test(
    live_server, browser, owner, make, ended, turn, send, receiver, tmp_path
):
    result = ended(0.9).visualization
    busy = make(AlertEvent.FIGURE_CHANGED).alert
    receiver.answers = [(500, {})]
    for value in (0.9, 0.5, 0.85):
        ended(value)
    turn()
    send()
    session = browser(owner).cookies[settings.SESSION_COOKIE_NAME].value
    with chromium() as driven:
        for theme, width in LOOKS:
            context = driven.new_context(color_scheme=theme, viewport={"width": width, "height": 900})
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
            page = context.new_page()
            page.goto(live_server.url + result.get_absolute_url())
            page.get_by_role("link", name="Notify me").focus()
            page.keyboard.press("Enter")
            page.get_by_label("Name").fill(f"Drop, {theme}, {width}")
            page.get_by_label("Send a message when").select_option("figure_crossed")
            page.get_by_label("Key figure").select_option("auc")
            page.get_by_label("Webhook").fill(receiver.url)
            page.get_by_role("button", name="Create the alert").press("Enter")
            expect(page.get_by_text("Give a number.")).to_be_visible()
            check(page, tmp_path / f"new-{theme}-{width}.png")
            page.get_by_label("Threshold").fill("0.8")
            page.get_by_role("button", name="Create the alert").press("Enter")
            expect(page.get_by_role("heading", name="Secret of the webhook")).to_be_visible()
            check(page, tmp_path / f"made-{theme}-{width}.png")
            page.get_by_role("link", name="Go to the alert").press("Enter")
            page.get_by_role("button", name="Send a test").press("Enter")
            expect(page.get_by_text("A test is on its way")).to_be_visible()
            expect(page.get_by_text("Waiting").first).to_be_visible()
            send()
            expect(page.get_by_role("cell", name="Sent")).to_be_visible()
            check(page, tmp_path / f"alert-{theme}-{width}.png")
            page.goto(f"{live_server.url}/alerts/{busy.id}/")
            check(page, tmp_path / f"busy-{theme}-{width}.png")
            page.goto(f"{live_server.url}/alerts/")
            check(page, tmp_path / f"list-{theme}-{width}.png")
            page.goto(live_server.url + result.get_absolute_url())
            page.screenshot(path=tmp_path / f"result-{theme}-{width}.png", full_page=True)
            context.close()
