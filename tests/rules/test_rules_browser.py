"""Rules in a real browser: from a result to a rule by keyboard, in both themes, wide and narrow."""

import itertools

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import expect

from apps.rules import services
from apps.visualizations.models import Visualization
from tests.callers import caller
from tests.chromium import chromium

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKS = list(itertools.product(("light", "dark"), (1440, 390)))


def check(page, path=None):
    """Looks for what axe reports, and for a page that is wider than its window."""
    if path:
        page.screenshot(path=path, full_page=True)
    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_by_keyboard_from_a_result_to_a_rule_at_work(
    live_server, browser, owner, make, add_run, turn, work, kernel, tmp_path
):
    for _ in range(3):
        add_run()
    failing = make(name="run r*")
    services.rule_apply_to_last(caller(owner), failing, 2)
    kernel.outcome = {"state": "failed", "reason": "cell_error", "message": "There is no column score.", "html": None}
    turn()
    work()
    kernel.outcome = {}
    turn()
    session = browser(owner).cookies[settings.SESSION_COOKIE_NAME].value
    result = Visualization.objects.filter(run_id="r1").get()
    with chromium() as driven:
        for theme, width in LOOKS:
            context = driven.new_context(color_scheme=theme, viewport={"width": width, "height": 900})
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
            page = context.new_page()
            page.goto(live_server.url + result.get_absolute_url())
            page.get_by_role("link", name="Do this for every run").focus()
            page.keyboard.press("Enter")
            page.get_by_label("Earlier runs").fill("3")
            page.get_by_role("button", name="Dry run").focus()
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name="Dry run: 3 runs match")).to_be_visible()
            check(page, tmp_path / f"new-{theme}-{width}.png")
            page.get_by_label("Name").fill(f"Tips, {theme}, {width}")
            page.get_by_role("button", name="Create the rule").press("Enter")
            expect(page.get_by_role("heading", name=f"Tips, {theme}, {width}")).to_be_visible()
            expect(page.get_by_text("0 of 3 done")).to_be_visible()
            check(page, tmp_path / f"rule-{theme}-{width}.png")
            page.goto(f"{live_server.url}/rules/{failing.id}/")
            check(page, tmp_path / f"failing-{theme}-{width}.png")
            page.goto(f"{live_server.url}/rules/")
            check(page, tmp_path / f"list-{theme}-{width}.png")
            context.close()
