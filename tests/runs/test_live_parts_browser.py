"""Parts of a page that redraw themselves keep focus, input and open elements."""

import pytest
from playwright.sync_api import expect

from tests.chromium import wait_redrawn
from tests.runs.kubeflow import run_row

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def theme():
    return "light"


def test_late_metrics_keep_focus_and_checked_boxes(page, kubeflow):
    kubeflow.runs.append(run_row("r2", display_name="second"))
    held = []

    def hold(route):
        held.append(route)

    page.route("**/runs/metrics*", hold)
    with page.expect_request("**/runs/metrics*"):
        page.goto("/runs/")
    page.get_by_role("checkbox", name="Select second").check()
    name = page.get_by_role("link", name="second", exact=True)
    name.focus()
    expect(page.get_by_role("columnheader", name="auc")).to_have_count(0)
    held[0].continue_()
    expect(page.get_by_role("columnheader", name="auc")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Select second")).to_be_checked()
    expect(name).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/r2/")


def test_live_run_keeps_input_focus_and_open_elements(page, kubeflow):
    kubeflow.runs.append(run_row("r9", state="RUNNING", finished_at="1970-01-01T00:00:00Z"))
    page.goto("/runs/r9/")
    page.get_by_text("Tag", exact=True).click()
    box = page.get_by_label("New tag")
    box.press_sequentially("blue")
    wait_redrawn(page)
    expect(box).to_be_focused()
    box.press_sequentially("-green")
    expect(box).to_have_value("blue-green")
    for control in (page.get_by_role("button", name="Terminate"), page.get_by_role("link", name="Clone")):
        control.focus()
        wait_redrawn(page)
        expect(control).to_be_focused()
