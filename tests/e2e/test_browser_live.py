"""The page of a queued or running render: event-driven updates that keep focus and folded parts."""

import pytest
from playwright.sync_api import expect

from tests.chromium import wait_redrawn
from tests.e2e.test_browser_walk import api, sample

pytestmark = [pytest.mark.browser, pytest.mark.kernel]
HOLD = "import pathlib, time\nuntil = time.monotonic() + 12\nwhile time.monotonic() < until:\n    time.sleep(0.1)"


COUNT = "import itertools, time\nfor number in itertools.count():\n    print(number, flush=True)\n    time.sleep(0.2)"


def evaluator(portal):
    """Returns the run and step ids of the sample's evaluator."""
    run = api(portal, f"/api/v1/runs/{sample(portal, 'tip-prediction')['id']}")
    return {"run_id": run["id"], "step_id": next(each["id"] for each in run["steps"] if each["name"] == "evaluator")}


def test_waiting_card_updates_by_event_and_rarely_polls(browser, portal):
    body = evaluator(portal)
    context = browser.new_context(base_url=portal.url)
    page = context.new_page()
    asked = []

    def note(request):
        if request.url.endswith(f"{waiting['render']['id']}/fragment?page=1"):
            asked.append(request.headers.get("x-vizportal-poll"))

    # One more than there are workers, so the last one waits.
    codes = [f"{HOLD}\nprint('number {number}')" for number in range(portal.get("/readyz")["workers"]["count"] + 1)]
    made = []
    try:
        for number, code in enumerate(codes):
            order = body | {"type": "custom", "code": code, "title": f"Hold {number}"}
            made.append(page.request.post("/api/v1/visualizations", data=order).json())
        waiting = made[-1]
        page.on("request", note)
        page.goto(waiting["url"])
        expect(page.locator("[data-live][data-waits]")).to_have_count(1)
        expect(page.locator("[data-live]:not([data-waits])")).to_have_count(1, timeout=60_000)
        # It polled at most twice in ten seconds, when its stream began; an event reported the start.
        assert None in asked
        assert asked.index(None) <= 2
        expect(page.locator(".render .state-succeeded")).to_be_visible(timeout=60_000)
    finally:
        for each in made:
            page.request.delete(f"/api/v1/visualizations/{each['id']}", headers={"Origin": portal.url})
        context.close()


def test_redrawn_running_card_keeps_focus_and_folded_log(browser, portal):
    context = browser.new_context(base_url=portal.url)
    page = context.new_page()
    order = {**evaluator(portal), "type": "custom", "code": COUNT, "title": "Counts"}
    made = page.request.post("/api/v1/visualizations", data=order).json()
    try:
        page.goto(made["url"])
        log = page.locator(".render details", has_text="Log so far")
        log.locator("> summary").click(timeout=60_000)
        expect(log.locator(".live-log")).to_be_hidden()
        stop = page.get_by_role("button", name="Cancel")
        stop.focus()
        for _ in range(2):
            wait_redrawn(page)
        expect(stop).to_be_focused()
        expect(log.locator(".live-log")).to_be_hidden()
        page.keyboard.press("Enter")
        expect(page.locator(".render .state-cancelled")).to_be_visible()
    finally:
        page.request.delete(f"/api/v1/visualizations/{made['id']}", headers={"Origin": portal.url})
        context.close()
