"""The graph in a real browser: zoom, drag, minimap, frames, iterations, and state that survives a refresh."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.looks import LOOKS, check
from tests.runs.kubeflow import run_row

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def theme():
    return "light"


@pytest.fixture
def viewport():
    return {"width": 1280, "height": 800}


def task(name, component="work", **more):
    return {"componentRef": {"name": f"comp-{component}"}, "taskInfo": {"name": name}, **more}


@pytest.fixture
def stages(kubeflow):
    """Adds a run `live` that never ends, with eight stages of nine steps in sequence."""
    order = [f"stage-{number}" for number in range(8)]
    spec = {
        "pipelineInfo": {"name": "stages"},
        "root": {
            "dag": {
                "tasks": {
                    name: task(name, "stage", dependentTasks=order[number - 1 : number])
                    for number, name in enumerate(order)
                }
            }
        },
        "components": {
            "comp-work": {"executorLabel": "exec"},
            "comp-stage": {"dag": {"tasks": {f"t{number}": task(f"t{number}") for number in range(9)}}},
        },
        "deploymentSpec": {"executors": {"exec": {"container": {"image": "x"}}}},
    }
    row = run_row("live", state="RUNNING", finished_at="1970-01-01T00:00:00Z")
    kubeflow.executions.clear()
    kubeflow.runs.append(row | {"pipeline_spec": spec})
    return kubeflow


def scrolled(page):
    return page.locator("[data-graph-wrap]").evaluate("wrap => [wrap.scrollLeft, wrap.scrollTop]")


def drawn_width(page):
    return page.locator("svg[data-graph]").evaluate("svg => svg.getBoundingClientRect().width")


def refreshed(page):
    """Waits until the live part has been redrawn."""
    page.locator("#run-live").evaluate("part => { part.dataset.seen = '1'; }")
    expect(page.locator("#run-live[data-seen]")).to_have_count(0, timeout=10_000)


def ending(path):
    return re.compile(re.escape(path) + "$")


def test_graph_zooms_by_button_key_and_wheel(page):
    page.goto("/runs/r1/")
    level = page.locator("[data-zoom-level]")
    usual = drawn_width(page)
    page.get_by_role("button", name="Zoom in").click()
    assert drawn_width(page) > usual * 1.2
    page.locator("#graph-wrap").focus()
    page.keyboard.press("1")
    expect(level).to_have_text("100 %")
    page.keyboard.press("-")
    expect(level).to_have_text("80 %")
    page.keyboard.press("0")
    box = page.locator("[data-graph-wrap]").bounding_box()
    assert drawn_width(page) <= box["width"]
    before = drawn_width(page)
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    grown = "width => document.querySelector('[data-graph]').getBoundingClientRect().width > width"
    page.wait_for_function(grown, arg=before)


def test_pinch_gesture_zooms_the_graph(browser, live_server, client, kubeflow):
    context = browser.new_context(base_url=live_server.url, has_touch=True, viewport={"width": 390, "height": 844})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    opened = context.new_page()
    opened.goto("/runs/r1/")
    opened.locator("[data-graph-wrap]").scroll_into_view_if_needed()
    box = opened.locator("[data-graph-wrap]").bounding_box()
    before = drawn_width(opened)
    session = context.new_cdp_session(opened)
    x, y = box["x"] + box["width"] / 2, box["y"] + 80

    def touch(kind, gap):
        points = [{"x": x - gap, "y": y, "id": 0}, {"x": x + gap, "y": y, "id": 1}] if gap else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 30)
    for gap in (40, 50, 60):
        touch("touchMove", gap)
    touch("touchEnd", 0)
    assert drawn_width(opened) == pytest.approx(2 * before, rel=0.05)
    context.close()


def test_frames_of_a_pipeline_toggle_in_place(page):
    page.goto("/pipelines/p1/versions/v1/")
    page.evaluate("window.isSame = true")
    page.get_by_role("button", name="Zoom in").click()
    level = page.locator("[data-zoom-level]").text_content()
    page.locator("#toggle-condition-1").click()
    expect(page.locator("#node-condition-1\\.deploy")).to_have_count(0)
    expect(page).to_have_url(ending("/pipelines/p1/versions/v1/?close=condition-1"))
    expect(page.locator("[data-zoom-level]")).to_have_text(level)
    assert page.evaluate("window.isSame") is True


def test_graph_is_moved_by_dragging_and_by_minimap(page):
    page.goto("/runs/r1/")
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    minimap = page.locator("[data-minimap]")
    expect(minimap).to_be_visible()
    page.locator("#node-train").scroll_into_view_if_needed()
    start = scrolled(page)
    node = page.locator("#node-train").bounding_box()
    page.mouse.move(node["x"] + 30, node["y"] + 20)
    page.mouse.down()
    page.mouse.move(node["x"] - 40, node["y"] - 40, steps=4)
    page.mouse.up()
    assert scrolled(page) == [start[0] + 70, start[1] + 60]
    assert page.locator("#step-panel [data-panel]").count() == 0
    minimap.scroll_into_view_if_needed()
    area = minimap.bounding_box()
    page.mouse.move(area["x"] + area["width"] - 4, area["y"] + area["height"] - 4)
    page.mouse.down()
    page.mouse.up()
    assert scrolled(page)[1] > start[1] + 60
    page.get_by_role("button", name="Fit the whole graph").click()
    expect(minimap).to_be_hidden()


def test_frames_and_iterations_change_in_place(page):
    page.goto("/runs/r1/")
    page.evaluate("window.isSame = true")
    page.locator("#after-for-loop-1").click()
    expect(page.locator("#node-for-loop-1\\.1\\.score")).to_be_visible()
    expect(page).to_have_url(ending("/runs/r1/?iteration=for-loop-1:1"))
    expect(page.locator("#before-for-loop-1")).to_be_visible()
    page.locator("#toggle-condition-1").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#node-condition-1\\.deploy")).to_have_count(0)
    expect(page).to_have_url(ending("/runs/r1/?close=condition-1&iteration=for-loop-1:1"))
    expect(page.locator("#toggle-condition-1")).to_be_focused()
    page.locator("#menu-for-loop-1 summary").click()
    page.locator("#menu-for-loop-1 .menu-items a").first.click()
    expect(page.locator("#node-for-loop-1\\.0\\.score")).to_be_visible()
    expect(page.locator("#menu-for-loop-1 .menu-items")).to_be_hidden()
    page.locator("#node-train").click()
    panel = page.locator("#step-panel [data-panel]")
    expect(panel).to_have_attribute("data-step", "train")
    panel.get_by_role("link", name="Input/Output").click()
    expect(page).to_have_url(ending("/runs/r1/steps/train/?tab=io&close=condition-1&iteration=for-loop-1:0"))
    page.locator("#toggle-condition-1").click()
    expect(page.locator("#node-condition-1\\.deploy")).to_be_visible()
    expect(page).to_have_url(ending("/runs/r1/steps/train/?iteration=for-loop-1:0&tab=io"))
    expect(panel).to_have_attribute("data-step", "train")
    assert page.evaluate("window.isSame") is True
    page.go_back()
    expect(page.locator("#node-condition-1\\.deploy")).to_have_count(0)


def test_refresh_keeps_scroll_zoom_and_focus(page, stages):
    page.goto("/runs/live/?frames=open")
    page.get_by_role("button", name="Zoom in").click()
    page.locator("[data-graph-wrap]").evaluate("wrap => wrap.scrollTo(60, 500)")
    page.locator("#node-stage-1").focus()
    before = (scrolled(page), drawn_width(page))
    assert before[0][1] > 0
    refreshed(page)
    assert (scrolled(page), drawn_width(page)) == before
    expect(page.locator("#node-stage-1")).to_be_focused()
    expect(page.locator("[data-minimap] rect").first).to_be_attached()
    page.locator("#node-stage-1").click()
    expect(page.locator("#step-panel [data-panel]")).to_have_attribute("data-step", "stage-1")
    refreshed(page)
    assert drawn_width(page) == before[1]
    expect(page.locator("#step-panel [data-panel]")).to_have_attribute("data-step", "stage-1")
    expect(page.locator("#node-stage-1")).to_have_attribute("aria-current", "true")


def test_opened_frame_stays_under_the_pointer(page, stages):
    page.goto("/runs/live/?frames=closed")
    page.locator("#toggle-stage-6").click()
    expect(page.locator("#node-stage-6\\.t0")).to_be_attached()
    page.locator("#toggle-stage-7").scroll_into_view_if_needed()
    where = page.locator("#toggle-stage-7").bounding_box()
    page.locator("#toggle-stage-7").click()
    expect(page.locator("#node-stage-7\\.t0")).to_be_attached()
    now = page.locator("#toggle-stage-7").bounding_box()
    assert abs(now["y"] - where["y"]) < 24


def test_node_focused_by_keyboard_is_scrolled_into_view(page, stages):
    page.goto("/runs/live/?frames=closed")
    page.set_viewport_size({"width": 1280, "height": 500})
    page.locator("#node-stage-0").focus()
    for _ in range(7):
        page.keyboard.press("ArrowDown")
    last = page.locator("#node-stage-7")
    expect(last).to_be_focused()
    seen, node = page.locator("[data-graph-wrap]").bounding_box(), last.bounding_box()
    assert seen["y"] <= node["y"]
    assert node["y"] + node["height"] <= seen["y"] + seen["height"]


def test_artifact_link_opens_its_place_in_the_panel(page):
    page.goto("/runs/r1/?artifacts=1")
    page.get_by_role("link", name="report, HTML of evaluate").click()
    expect(page.locator("#step-panel [data-panel]")).to_have_attribute("data-step", "evaluate")
    expect(page.locator("#artifact-output-4")).to_be_in_viewport()


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_axe_finds_no_violations_in_graphs_and_timelines(page, theme, width):
    page.set_viewport_size({"width": width, "height": 844})
    for path in (
        "/runs/r1/?artifacts=1",
        "/runs/r1/?frames=closed",
        "/runs/r1/?view=timeline",
        "/runs/r1/steps/train/?view=timeline",
        "/pipelines/p1/",
        "/pipelines/p1/versions/v1/?view=steps",
    ):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        check(page)


def test_graph_without_javascript_is_a_drawing_with_links(browser, live_server, client, kubeflow):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    opened = context.new_page()
    opened.goto("/runs/r1/")
    opened.locator("#after-for-loop-1").click()
    expect(opened.locator("#node-for-loop-1\\.1\\.score")).to_be_visible()
    opened.locator("#toggle-condition-1").click()
    expect(opened.locator("#node-condition-1\\.deploy")).to_have_count(0)
    opened.locator("#node-train").click()
    expect(opened.locator("#step-panel [data-panel]")).to_have_attribute("data-step", "train")
    expect(opened.locator("#node-for-loop-1\\.1\\.score")).to_be_visible()
    expect(opened.get_by_role("button", name="Zoom in")).to_be_hidden()
    context.close()
