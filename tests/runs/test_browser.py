"""The run page in a real browser: keyboard, panel, address, back button, and axe."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.looks import violations

pytestmark = pytest.mark.browser


@pytest.mark.django_db(transaction=True)
def test_steps_can_be_selected_by_keyboard(page):
    page.goto("/runs/r1/")
    page.locator("#node-evaluate").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#node-train")).to_be_focused()
    page.keyboard.press("Enter")
    panel = page.locator("#step-panel [data-panel]")
    expect(panel).to_have_attribute("data-step", "train")
    expect(page).to_have_url(ending("/runs/r1/steps/train/"))
    expect(page.locator("#node-train")).to_have_attribute("aria-current", "true")
    panel.get_by_role("link", name="Input/Output").click()
    expect(page).to_have_url(ending("/runs/r1/steps/train/?tab=io"))
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page.locator("#node-train")).to_be_focused()
    page.go_back()
    expect(page.locator("#step-panel [data-panel]")).to_have_attribute("data-step", "train")


@pytest.mark.django_db(transaction=True)
def test_panel_keeps_its_chosen_width(page):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/runs/r1/")
    handle = page.get_by_role("separator", name="Width of the step panel")
    expect(handle).to_be_hidden()
    page.locator("#node-train").click()
    expect(page.locator("#step-panel [data-panel]")).to_be_visible()
    usual = panel_width(page)
    handle.focus()
    page.keyboard.press("ArrowLeft")
    assert panel_width(page) == usual + 32
    wider = int(handle.get_attribute("aria-valuenow"))
    page.keyboard.press("End")
    assert int(handle.get_attribute("aria-valuenow")) < wider
    start = handle.bounding_box()
    page.mouse.move(start["x"] + 5, start["y"] + 40)
    page.mouse.down()
    page.mouse.move(start["x"] - 195, start["y"] + 60, steps=4)
    page.mouse.up()
    dragged = panel_width(page)
    assert dragged == 352 + 200
    page.reload()
    assert abs(panel_width(page) - dragged) <= 1
    page.set_viewport_size({"width": 390, "height": 844})
    expect(handle).to_be_hidden()
    page.set_viewport_size({"width": 1440, "height": 900})
    handle.dblclick()
    assert panel_width(page) == usual


def panel_width(page):
    return round(page.locator("#step-panel").bounding_box()["width"])


@pytest.mark.django_db(transaction=True)
def test_artifacts_are_previewed_in_place(page):
    page.goto("/runs/r1/steps/read-data/")
    page.get_by_text("Preview", exact=True).click()
    expect(page.get_by_role("cell", name="16.99")).to_be_visible()
    page.goto("/runs/r1/steps/evaluate/")
    frame = page.frame_locator("iframe[title=report]")
    expect(frame.get_by_role("heading", name="Report")).to_be_visible()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "path", ["/runs/", "/runs/r1/", "/runs/r1/?view=steps", "/runs/r1/steps/evaluate/", "/runs/new/?pipeline=p1"]
)
def test_axe_finds_no_violations(page, path):
    page.goto(path)
    page.wait_for_load_state("networkidle")
    assert violations(page) == []


def ending(path):
    return re.compile(re.escape(path) + "$")
