"""Previews, viewers and logs in a real browser, in the light and dark theme, with scripts and axe."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.looks import violations
from tests.runs import sampled
from tests.runs.kubeflow import run_row

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_every_preview_kind_opens_in_place(page, kubeflow):
    sampled.with_every_kind(kubeflow)
    page.goto("/runs/r1/steps/train/")
    page.wait_for_load_state("networkidle")
    for details in page.locator("details[data-preview]").all():
        # Use the keyboard: a preview that opens above moves the page, and a click would miss its target.
        details.locator("> summary").press("Enter")
        expect(details.locator(".preview")).to_be_visible()
    expect(page.get_by_text("deep", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="Köln")).to_be_visible()
    expect(page.get_by_text("ZeroDivisionError").or_(page.get_by_text("Trace")).first).to_be_visible()
    expect(page.frame_locator("iframe[title='page.html']").get_by_role("heading", name="A page")).to_be_visible()
    picture = page.get_by_role("img", name="picture.png")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 16
    expect(page.locator(".viewer")).to_have_count(10)
    page.wait_for_load_state("networkidle")
    assert violations(page) == []


def test_pdf_is_shown_in_the_browsers_own_viewer(page, kubeflow):
    ids = sampled.with_every_kind(kubeflow)
    with page.expect_response("**/frame") as answered:
        page.goto(f"/runs/r1/steps/train/artifacts/{ids['paper.pdf']}/preview")
    assert answered.value.headers["content-type"] == "application/pdf"
    # The viewer is an extension's page in the frame. If it is blocked, the frame has an error page.
    page.wait_for_function("document.querySelector('iframe.pdf-frame') !== null")
    page.wait_for_load_state("networkidle")
    assert not any("chrome-error" in frame.url for frame in page.frames)
    page.set_viewport_size({"width": 390, "height": 844})
    assert violations(page) == []


def test_web_app_has_no_access_to_the_portals_origin(page, kubeflow):
    ids = sampled.with_every_kind(kubeflow)
    page.goto(f"/runs/r1/steps/train/artifacts/{ids['mlpipeline-ui-metadata']}/viewers")
    frame = page.frame_locator("iframe[title^='Web app']")
    expect(frame.get_by_role("heading", name="My app")).to_be_visible()
    assert frame.locator("body").evaluate("() => origin") == "null"
    assert violations(page) == []


def test_log_can_be_searched_linked_and_wrapped(page, kubeflow):
    kubeflow.logs["pod-2"] = "".join(f"line {number} loss <{number}>\n" for number in range(1, 401))
    page.goto("/runs/r1/steps/read-data/?tab=logs")
    view = page.locator("[data-log-view]")
    expect(page.locator("#L400")).to_be_in_viewport()
    box = page.get_by_role("searchbox", name="Search this log")
    box.fill("LOSS <10")
    hits = page.locator("[data-log-hits]")
    expect(hits).to_have_text("1 of 11")
    expect(page.locator("#L10")).to_be_in_viewport()
    box.press("Enter")
    expect(hits).to_have_text("2 of 11")
    expect(page.locator("#L100")).to_be_in_viewport()
    box.press("Shift+Enter")
    expect(hits).to_have_text("1 of 11")
    expect(page.locator("#L10 mark.current")).to_have_text("loss <10")
    assert violations(page) == []
    box.press("Escape")
    expect(page.locator("#log-lines mark")).to_have_count(0)
    expect(page.locator("[data-panel]")).to_be_visible()
    page.get_by_role("button", name="Wrap").click()
    expect(view).not_to_have_class("log-view wrapped")
    page.goto("/runs/r1/steps/read-data/?tab=logs#L33")
    expect(page.locator("#L33")).to_be_in_viewport()
    expect(page.locator("[data-log-view].wrapped")).to_have_count(0)


def test_live_log_is_followed_until_the_user_scrolls_up(page, kubeflow):
    kubeflow.runs.append(run_row("r9", state="RUNNING", finished_at="1970-01-01T00:00:00Z"))
    kubeflow.add_execution(50, "RUNNING", task_name="train", parent_dag_id=1, pod_name="pod-9")

    def written(count):
        kubeflow.logs["pod-9"] = "".join(f"line {number}\n" for number in range(1, count + 1))

    written(200)
    page.goto("/runs/r9/steps/train/?tab=logs")
    expect(page.locator("#L200")).to_be_in_viewport()
    written(260)
    expect(page.locator("#L260")).to_be_in_viewport()
    page.locator("[data-log-view]").evaluate("view => { view.scrollTop = 0; }")
    follow = page.get_by_role("button", name="Follow")
    expect(follow).to_be_visible()
    written(320)
    expect(page.locator("#L320")).to_be_attached()
    expect(page.locator("#L320")).not_to_be_in_viewport()
    expect(page.locator("#L1")).to_be_in_viewport()
    follow.click()
    expect(page.locator("#L320")).to_be_in_viewport()
    expect(follow).to_be_hidden()
