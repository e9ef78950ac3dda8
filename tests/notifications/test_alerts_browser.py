"""Alerts in a real browser: created by keyboard, in both themes, wide and narrow."""

import pytest
from playwright.sync_api import expect

from apps.notifications.models import AlertEvent
from tests.chromium import chromium
from tests.looks import LOOKS, check, open_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_alert_is_created_and_tested_by_keyboard(live_server, browser, owner, make, ended, turn, send, receiver):
    result = ended(0.9).visualization
    busy = make(AlertEvent.FIGURE_CHANGED).alert
    receiver.answers = [(500, {})]
    for value in (0.9, 0.5, 0.85):
        ended(value)
    turn()
    send()
    with chromium() as driven:
        for theme, width in LOOKS:
            page = open_page(driven, live_server.url, browser(owner), theme=theme, width=width)
            page.goto(result.get_absolute_url())
            page.get_by_role("link", name="Notify me").focus()
            page.keyboard.press("Enter")
            page.get_by_label("Name").fill(f"Drop, {theme}, {width}")
            page.get_by_label("Send a message when").select_option("figure_crossed")
            page.get_by_label("Key figure").select_option("auc")
            page.get_by_label("Webhook").fill(receiver.url)
            page.get_by_role("button", name="Create the alert").press("Enter")
            expect(page.get_by_text("Give a number.")).to_be_visible()
            check(page)
            page.get_by_label("Threshold").fill("0.8")
            page.get_by_role("button", name="Create the alert").press("Enter")
            expect(page.get_by_role("heading", name="Secret of the webhook")).to_be_visible()
            check(page)
            page.get_by_role("link", name="Go to the alert").press("Enter")
            page.get_by_role("button", name="Send a test").press("Enter")
            expect(page.get_by_text("A test is on its way")).to_be_visible()
            expect(page.get_by_text("Waiting").first).to_be_visible()
            send()
            expect(page.get_by_role("cell", name="Sent")).to_be_visible()
            check(page)
            page.goto(f"/alerts/{busy.id}/")
            check(page)
            page.goto("/alerts/")
            check(page)
            page.goto(result.get_absolute_url())
            page.context.close()
