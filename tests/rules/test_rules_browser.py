"""Rules in a real browser: created by keyboard, in both themes, wide and narrow."""

import pytest
from playwright.sync_api import expect

from apps.rules import services
from apps.visualizations.models import Visualization
from tests.callers import caller
from tests.chromium import chromium
from tests.looks import LOOKS, check, open_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_rule_is_created_from_a_result_by_keyboard(live_server, browser, owner, make, add_run, turn, work, kernel):
    for _ in range(3):
        add_run()
    failing = make(name="run r*")
    services.rule_apply_to_last(caller(owner), failing, 2)
    kernel.outcome = {"state": "failed", "reason": "cell_error", "message": "There is no column score.", "html": None}
    turn()
    work()
    kernel.outcome = {}
    turn()
    result = Visualization.objects.filter(run_id="r1").get()
    with chromium() as driven:
        for theme, width in LOOKS:
            page = open_page(driven, live_server.url, browser(owner), theme=theme, width=width)
            page.goto(result.get_absolute_url())
            page.get_by_role("link", name="Do this for every run").focus()
            page.keyboard.press("Enter")
            page.get_by_label("Earlier runs").fill("3")
            page.get_by_role("button", name="Dry run").focus()
            page.keyboard.press("Enter")
            expect(page.get_by_role("heading", name="Dry run: 3 runs match")).to_be_visible()
            check(page)
            page.get_by_label("Name").fill(f"Tips, {theme}, {width}")
            page.get_by_role("button", name="Create the rule").press("Enter")
            expect(page.get_by_role("heading", name=f"Tips, {theme}, {width}")).to_be_visible()
            expect(page.get_by_text("0 of 3 done")).to_be_visible()
            check(page)
            page.goto(f"/rules/{failing.id}/")
            check(page)
            page.goto("/rules/")
            check(page)
            page.context.close()
