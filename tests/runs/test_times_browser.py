"""Local times in a browser: a script sets them on the first page, then the server does, so that nothing flickers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CREATED = "#run-head .run-facts time"


@pytest.fixture
def open_in(browser, live_server, client, kubeflow):
    """Opens a page for a user in a time zone."""
    contexts = []

    def new_page(zone, **options):
        context = browser.new_context(base_url=live_server.url, timezone_id=zone, **options)
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        return context.new_page()

    yield new_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("zone", "name"), [("Europe/Berlin", "CET"), ("America/New_York", "EST")])
def test_first_and_later_pages_show_the_same_time(open_in, kubeflow, zone, name):
    kubeflow.runs[0]["created_at"] = "2026-01-02T23:30:15Z"
    day = {"CET": "2026-01-03 00:30", "EST": "2026-01-02 18:30"}[name]
    page = open_in(zone)
    page.goto("/runs/r1/")
    expect(page.locator(CREATED)).to_have_text(f"{day} {name}")
    expect(page.locator(CREATED)).to_have_attribute("title", f"{day}:15 {name} = 2026-01-02 23:30:15 UTC")
    answer = page.goto("/runs/r1/")
    assert f">{day} {name}<" in answer.text()
    expect(page.locator(CREATED)).to_have_text(f"{day} {name}")
    expect(page.locator(CREATED)).to_have_attribute("title", f"{day}:15 {name} = 2026-01-02 23:30:15 UTC")


def test_time_without_javascript_is_utc(open_in, kubeflow):
    kubeflow.runs[0]["created_at"] = "2026-01-02T23:30:15Z"
    page = open_in("Europe/Berlin", java_script_enabled=False)
    page.goto("/runs/r1/")
    assert page.locator(CREATED).text_content() == "2026-01-02 23:30 UTC"


def test_changed_zone_is_used(open_in, kubeflow, live_server):
    kubeflow.runs[0]["created_at"] = "2026-01-02T23:30:15Z"
    page = open_in("Asia/Kolkata")
    page.context.add_cookies([{"name": "vizportal_zone", "value": "Europe/Berlin", "url": live_server.url}])
    page.goto("/runs/r1/")
    expect(page.locator(CREATED)).to_have_text("2026-01-03 00:30 CET")
    page.goto("/runs/r1/")
    expect(page.locator(CREATED)).to_have_text("2026-01-03 05:00 IST")
