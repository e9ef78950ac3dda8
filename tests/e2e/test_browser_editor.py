"""The code editor in Chromium: completion, error marks, starting code and drafts."""

import pytest
from playwright.sync_api import expect

from tests.e2e.test_browser_walk import api, page, sample  # noqa: F401  (the page is a fixture)

pytestmark = [pytest.mark.browser, pytest.mark.kernel]


@pytest.fixture
def editor(page, portal):  # noqa: F811
    """The custom code editor, opened for the predictions of the sample run."""
    run = sample(portal, "tip-prediction")
    steps = api(portal, f"/api/v1/runs/{run['id']}")["steps"]
    step = next(each for each in steps if each["name"] == "evaluator")
    page.goto(f"/runs/{run['id']}/steps/{step['id']}/visualizations/?artifact=predictions&type=custom&new=1")
    found = page.locator(".editor .cm-content")
    found.click()
    return found


def write(page, text):  # noqa: F811
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("import pola", "polars"),
        ("from vizk", "vizkit"),
        ("frame['total", "total_bill"),
        ("sour", "source_uri"),
    ],
)
def test_editor_completes_packages_columns_and_names(page, editor, text, offered):  # noqa: F811
    write(page, text)
    expect(page.locator(".cm-tooltip-autocomplete li", has_text=offered).first).to_be_visible()


def test_failed_line_is_underlined(page, editor):  # noqa: F811
    write(page, "x = 1\ny = nope + x\nprint(y)")
    page.get_by_role("button", name="Try on a sample").click()
    expect(page.locator(".render").first).to_contain_text("name 'nope' is not defined")
    expect(page.locator(".render").first).to_contain_text("first 1,000 rows")
    underlined = page.locator(".editor .cm-lintRange-error")
    expect(underlined).to_have_text("y = nope + x")
    page.get_by_role("link", name="Edit arguments").first.click()
    expect(underlined).to_have_text("y = nope + x")


def test_inserting_a_types_code_can_be_undone(page, editor):  # noqa: F811
    write(page, "mine = 1")
    page.get_by_label("Start from").select_option(label="ROC curve")
    expect(editor).to_contain_text("variables = {")
    expect(editor).not_to_contain_text("mine = 1")
    page.keyboard.press("Control+Z")
    expect(editor).to_have_text("mine = 1")
    # The inserted code runs unchanged.
    page.get_by_label("Start from").select_option(label="ROC curve")
    expect(editor).to_contain_text("variables = {")
    page.get_by_role("button", name="Generate Visualization").click()
    expect(page.frame_locator("iframe[data-result]").first.get_by_text("AUC").first).to_be_visible()


def test_draft_is_restored_after_reload_and_can_be_dropped(page, editor):  # noqa: F811
    write(page, "draft = 1")
    page.reload()
    expect(editor).to_have_text("draft = 1")
    page.get_by_role("button", name="Drop it").click()
    expect(editor).to_contain_text("import matplotlib")
    page.reload()
    expect(editor).to_contain_text("import matplotlib")


def test_one_click_renders_statistics_of_all_splits(page, portal):  # noqa: F811
    run = sample(portal, "tip-prediction")
    steps = api(portal, f"/api/v1/runs/{run['id']}")["steps"]
    step = next(each for each in steps if each["name"] == "statistics-gen")
    page.goto(f"/runs/{run['id']}/steps/{step['id']}/?tab=artifacts&artifact=statistics")
    page.locator("form.banner").get_by_role("button", name="Data statistics (TFDV)").click()
    result = page.frame_locator("iframe[data-result]").first
    for text in ("eval 68 examples", "train 176 examples", "total_bill"):
        expect(result.locator("body")).to_contain_text(text)
    # The Creator is back in its initial state.
    expect(page.locator("[data-arguments][data-view=fields]")).to_have_count(1)
