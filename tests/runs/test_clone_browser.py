"""A clone starts with exactly the values of the run, even if a browser changes line breaks and blanks."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import expect

from tests.runs.kubeflow import run_row

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TEXTS = ["one\ntwo\n\nthree\n", "dos\r\nlines\r\n", "old\rmac", "\nleads", " blanks \n\t", '"quoted" <b>&amp;', "plain"]


@pytest.fixture
def theme():
    return "light"


@pytest.mark.parametrize("text", TEXTS)
def test_cloned_text_is_sent_unchanged(page, kubeflow, text):
    options = {"depth": [1, 2, {"deep": "x" * 50}], "name": text}
    given = {"label": text, "options": options, "columns": ["a"], "rounds": 5}
    kubeflow.runs.append(run_row("r2", runtime_config={"parameters": given}))
    page.goto("/runs/new/?clone=r2")
    shown = page.locator("#id_param-options").input_value()
    assert "\n" in shown, "a long object is shown over several lines"
    assert page.locator("#id_param-columns").input_value() == '["a"]'
    page.get_by_role("button", name="Start").click()
    expect(page.locator("h1")).not_to_have_text("New run")
    sent = kubeflow.posted[0]["runtime_config"]["parameters"]
    assert {name: sent[name] for name in given} == given


def test_edited_text_keeps_its_own_line_breaks(page, kubeflow):
    kubeflow.runs.append(run_row("r2", runtime_config={"parameters": {"label": "one\r\ntwo"}}))
    page.goto("/runs/new/?clone=r2")
    page.locator("#id_param-label").fill("one\ntwo\nthree")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("h1")).not_to_have_text("New run")
    assert kubeflow.posted[0]["runtime_config"]["parameters"]["label"] == "one\ntwo\nthree"


def test_filter_form_adds_no_empty_query_parameters(page, kubeflow):
    page.goto("/runs/")
    page.locator("[data-search]").fill("tips")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/?*")
    query = dict(parse_qsl(urlsplit(page.url).query, keep_blank_values=True))
    assert query.pop("q") == "tips"
    assert "" not in query.values(), page.url


def test_a_preview_stays_open_while_the_run_is_live(page, kubeflow):
    kubeflow.runs.append(run_row("r9", state="RUNNING", finished_at="1970-01-01T00:00:00Z"))
    for execution in kubeflow.executions:
        if execution.custom_properties["task_name"].string_value == "read-data":
            execution.last_known_state = 2  # RUNNING
    page.goto("/runs/r9/steps/read-data/")
    page.get_by_text("Preview", exact=True).click()
    table = page.locator("#preview-output-1 table")
    expect(table).to_contain_text("16.99")
    page.evaluate("() => { window.kept = document.querySelector('#preview-output-1 table'); window.swaps = 0; }")
    page.evaluate(
        "() => document.addEventListener('htmx:afterSettle',"
        " (event) => { if (event.detail.target.id === 'step-panel') window.swaps += 1; })"
    )
    page.wait_for_function("() => window.swaps >= 2")
    expect(table).to_be_visible()
    assert page.evaluate("() => window.kept === document.querySelector('#preview-output-1 table')")
    assert page.locator("details[data-preview][open]").count() == 1


def test_metrics_that_load_later_are_announced(page, kubeflow):
    held = []

    def hold(route):
        held.append(route)

    page.route("**/runs/metrics*", hold)
    with page.expect_request("**/runs/metrics*"):
        page.goto("/runs/")
    expect(page.locator("[data-announcer]")).to_contain_text("Reading metrics")
    expect(page.get_by_text("Reading metrics of 1 run")).to_have_count(2)
    held[0].continue_()
    expect(page.locator("[data-announcer]")).to_contain_text("Metrics are shown")


def test_object_link_opens_in_a_new_tab(page, kubeflow):
    page.goto("/runs/r1/steps/read-data/?tab=io")
    with page.context.expect_page() as opened:
        page.locator(".ports a").first.click()
    expect(opened.value.locator("table.preview-table")).to_contain_text("16.99")
    assert "/steps/read-data/?tab=io" in page.url
