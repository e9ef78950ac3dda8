"""Proposals in a real browser, in both themes, wide and narrow."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from apps.promotion import services
from tests.callers import caller
from tests.chromium import chromium
from tests.looks import LOOKS, check
from tests.reports.test_reports_browser import PICTURE, opened  # noqa: F401  (a fixture)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def kernel(kernel):
    kernel.html = PICTURE.encode()
    return kernel


def test_pages_of_proposals_look_right(opened, owner, reviewer, approved, edit, sample, submit, work):  # noqa: F811
    edit(approved, "bins=bins)", 'bins=bins, color="red")')
    services.proposal_propose(caller(owner), approved)
    made = submit(type_key="scores_by_label", arguments={"column": "score"}).visualization
    work()
    own = approved.get_absolute_url()
    pages = {
        "review": (reviewer, own),
        "list": (reviewer, "/proposals/"),
        "own": (owner, own),
        "mine": (owner, "/proposals/"),
        "new": (owner, reverse("promotion:proposal_new", args=[sample.id])),
        "edit": (owner, own + "edit/"),
        "result": (owner, sample.visualization.get_absolute_url()),
        "receipt": (owner, made.get_absolute_url() + "?tab=receipt"),
    }
    with chromium() as driven:
        for theme, width in LOOKS:
            for name, (user, path) in pages.items():
                page = opened(driven, user, theme=theme, width=width)
                page.goto(path)
                if name == "review":
                    frame = page.frame_locator("iframe.result-frame")
                    expect(frame.locator("#net")).to_have_text("no network")
                check(page)
                page.context.close()


def test_reviewer_approves_by_keyboard(opened, reviewer, proposed):  # noqa: F811
    with chromium() as driven:
        page = opened(driven, reviewer)
        page.goto(proposed.get_absolute_url())
        page.get_by_label("Comment").focus()
        page.keyboard.type("Good.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_text("is a type now")).to_be_visible()
