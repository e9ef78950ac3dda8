"""A failed request shows a message beside the pressed button: signed out, offline, refused or broken."""

import contextlib
import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import OperationalError
from playwright.sync_api import expect

from tests.runs.kubeflow import run_row
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def viewport():
    return {"width": 1440, "height": 900}


@pytest.fixture
def theme():
    return "light"


@pytest.fixture
def tab(theme, viewport, browser, live_server, client, kubeflow):
    """Opens a page for Ada, who has a password. The console may report failed requests, since they are tested."""
    ada = get_user_model().objects.get(username="ada")
    ada.set_password("sesame-94")
    ada.save()
    client.force_login(ada)
    context = browser.new_context(base_url=live_server.url, color_scheme=theme, viewport=viewport)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    opened = context.new_page()
    yield opened
    context.close()


def sign_out():
    """Ends every session. The page's own requests may lock the table for a moment."""

    def ended():
        with contextlib.suppress(OperationalError):
            return Session.objects.all().delete() is not None

    wait_until(ended, 10, "the table of sessions")


def sign_in(page):
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill("sesame-94")
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def password(settings):
    settings.VIZPORTAL_AUTH = "password"


def open_creator(page):
    page.goto("/runs/r1/steps/read-data/")
    expect(page.locator("[data-creator-form]")).to_be_visible()
    return page.locator("[data-creator-form]")


def answering(**answer):
    return lambda route: route.fulfill(**answer)


def test_creator_reports_that_the_user_was_signed_out(password, tab):
    creator = open_creator(tab)
    creator.locator("[name=source]").fill("s3://typed/by-hand.csv")
    sign_out()
    creator.get_by_role("button", name="Generate Visualization").click()
    note = creator.locator(".request-failed")
    expect(note).to_contain_text("You were signed out")
    expect(tab.locator("form input[type=password]")).to_have_count(0)
    with tab.context.expect_page() as opened:
        note.get_by_role("link", name="Sign in").click()
    other = opened.value
    sign_in(other)
    expect(other.get_by_role("heading", name="You are signed in")).to_be_visible()
    expect(note).to_contain_text("signed in again")
    expect(creator.locator("[name=source]")).to_have_value("s3://typed/by-hand.csv")
    # The sign-in changed the CSRF token, which the request sends.
    with tab.expect_response(lambda got: got.request.method == "POST") as sent:
        creator.get_by_role("button", name="Generate Visualization").click()
    assert sent.value.status == 200


def test_form_is_restored_after_signing_in_again(password, tab):
    tab.goto("/runs/new/?pipeline=p1")
    tab.get_by_label("Run name").fill("typed for long")
    tab.get_by_label("Description").fill("and more")
    tab.get_by_label("label").fill("tip")
    sign_out()
    tab.get_by_role("button", name="Start").click()
    sign_in(tab)
    expect(tab.get_by_text("It was not sent")).to_be_visible()
    expect(tab.get_by_label("Run name")).to_have_value("typed for long")
    expect(tab.get_by_label("Description")).to_have_value("and more")
    tab.get_by_role("button", name="Start").click()
    expect(tab.get_by_role("heading", name="typed for long")).to_be_visible()


def test_selection_is_kept_after_signing_in_again(password, tab, kubeflow):
    kubeflow.runs.append(run_row("r2", display_name="second"))
    tab.goto("/runs/?state=succeeded")
    tab.get_by_role("checkbox", name="Select second").check()
    sign_out()
    tab.get_by_role("button", name="Archive").click()
    sign_in(tab)
    tab.wait_for_url("**/runs/?state=succeeded")
    expect(tab.get_by_role("checkbox", name="Select second")).to_be_checked()
    assert tab.locator("[data-row] input:checked").count() == 1


def test_offline_and_broken_requests_are_reported_beside_the_button(tab):
    creator = open_creator(tab)
    generate = creator.get_by_role("button", name="Generate Visualization")
    tab.context.set_offline(True)
    generate.click()
    note = creator.locator(".request-failed")
    expect(note).to_contain_text("Not sent: the portal did not answer")
    above = note.evaluate("each => each.previousElementSibling.textContent.trim()")
    assert above == "Generate Visualization"
    expect(note).to_be_in_viewport()
    tab.context.set_offline(False)
    for status, words in [(500, "error 500"), (429, "Too many requests"), (404, "no longer exists")]:
        tab.route("**/visualizations/", answering(status=status, body="<h1>page</h1>"))
        generate.click()
        expect(note).to_contain_text(words)
        expect(note).to_have_count(1)
        tab.unroute("**/visualizations/")
    tab.route("**/visualizations/", answering(status=403, content_type="text/plain", body="Your own words."))
    generate.click()
    expect(note).to_contain_text("Your own words.")


def test_sign_in_page_of_a_proxy_is_not_swapped_in(tab):
    creator = open_creator(tab)
    page = "<!DOCTYPE html><html><body><form><input type=password></form></body></html>"
    tab.route("**/visualizations/", answering(status=200, content_type="text/html", body=page))
    creator.get_by_role("button", name="Generate Visualization").click()
    expect(creator.locator(".request-failed")).to_contain_text("You were signed out")
    expect(tab.locator("input[type=password]")).to_have_count(0)


def test_panel_reports_that_a_step_cannot_be_opened(password, tab):
    tab.goto("/runs/r1/")
    sign_out()
    tab.locator("[data-node]").first.click()
    expect(tab.locator("#step-panel .request-failed")).to_contain_text("You were signed out")
    expect(tab.locator("#step-panel input[type=password]")).to_have_count(0)


def test_live_run_reports_once_that_it_is_out_of_date(tab, kubeflow):
    kubeflow.runs.append(run_row("r9", state="RUNNING", finished_at="1970-01-01T00:00:00Z"))
    tab.goto("/runs/r9/")
    tab.context.set_offline(True)
    # The page polls every few seconds, and a response may be on its way.
    expect(tab.locator(".request-failed")).to_contain_text("out of date", timeout=20_000)
    with tab.expect_event("requestfailed"):
        pass
    expect(tab.locator(".request-failed")).to_have_count(1)
    tab.context.set_offline(False)
    expect(tab.locator(".request-failed")).to_have_count(0, timeout=20_000)


def test_input_of_a_sent_form_is_forgotten(tab):
    tab.goto("/runs/new/?pipeline=p1")
    tab.get_by_label("Run name").fill("sent at once")
    tab.get_by_label("label").fill("tip")
    tab.get_by_role("button", name="Start").click()
    expect(tab.get_by_role("heading", name="sent at once")).to_be_visible()
    # The next page's script removes it.
    tab.wait_for_function("() => sessionStorage.getItem('vizportal-typed') === null")
    expect(tab.get_by_text(re.compile("It was not sent"))).to_have_count(0)
