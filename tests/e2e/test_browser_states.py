"""Result pages in a browser: blocked requests, keyboard navigation and admin actions."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.test_browser_walk import api, in_frame, sample

pytestmark = [pytest.mark.browser, pytest.mark.kernel]
LOADS = """
from IPython.display import HTML
HTML('''<p>shown</p><script src="https://cdn.example.com/<b>.js"></script>
<script>for (let n = 0; n < 9; n++) fetch("https://api.example.com/" + n).catch(() => {});</script>''')
"""


ACTS = """
from IPython.display import HTML
HTML('''<p>Top of all</p><p id="said"></p>
<a download="rows.csv" href="data:text/csv,a">save</a> <a href="https://example.com/a">outside</a>
<button onclick="Object.assign(document.createElement('a'), {download: 'plot.png', href: 'data:,x'}).click()">
library</button>
<button onclick="window.open('https://example.com/b')">window</button>
<iframe srcdoc="<script src='https://tiles.example.com/leaflet.js'></script>"></iframe>
<script>
localStorage.setItem("n", 1); sessionStorage.x = 2; delete sessionStorage.x; document.cookie = "a=b; path=/";
said.textContent = `kept ${localStorage.n}, session ${sessionStorage.getItem("x")}, cookie ${document.cookie}`;
</script>''')
"""
TALL = """
from IPython.display import Markdown
Markdown("# Contents\\n\\n- [Last section](#last-section)\\n\\n" + "text\\n\\n" * 80 + "## Last section\\n\\nend")
"""


@pytest.fixture
def page(browser, portal):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=portal.url)
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    yield opened
    context.close()


@pytest.fixture
def make(page, portal):
    """Requests a visualization of the sample run's evaluator and returns its path once it has ended.

    All are deleted afterwards, since the step's page would show them in other tests.
    """
    run = api(portal, f"/api/v1/runs/{sample(portal, 'tip-prediction')['id']}")
    step = next(each for each in run["steps"] if each["name"] == "evaluator")

    made_here = []

    def ask(**values):
        body = {"run_id": run["id"], "step_id": step["id"], "force": True, **values}
        made = page.request.post("/api/v1/visualizations", data=body).json()
        path = urlsplit(made["url"]).path
        made_here.append(made["id"])
        page.goto(path)
        expect(page.locator(".render .state-succeeded")).to_be_visible(timeout=60_000)
        return path

    yield ask
    for each in made_here:
        page.request.delete(f"/api/v1/visualizations/{each}", headers={"Origin": portal.url})


def test_blocked_requests_are_reported_above_the_result(page, make):
    make(type="custom", code=LOADS, title="Blocked loads")
    expect(in_frame(page).get_by_text("shown", exact=True)).to_be_visible()
    banner = page.locator("[data-blocked]")
    first = banner.get_by_text(re.compile(r"This result tried to load https://cdn\.example\.com/.*, which this portal"))
    expect(first).to_be_visible()
    expect(banner.locator("[data-line]")).to_have_count(5)
    assert banner.locator("b").count() == 0
    page.reload()
    expect(banner.locator("[data-line]")).to_have_count(5)


def test_blocked_actions_are_reported_and_storage_is_in_memory(page, make):
    make(type="custom", code=ACTS, title="Acts")
    frame = in_frame(page)
    expect(frame.get_by_text("kept 1, session null, cookie a=b", exact=True)).to_be_visible()
    frame.get_by_role("link", name="save").click()
    frame.get_by_role("button", name="library").click()
    frame.get_by_role("link", name="outside").click()
    frame.get_by_role("button", name="window").click()
    banner = page.locator("[data-blocked]")
    for words in ("offers the download rows.csv", "offers the download plot.png", "links to https://example.com/a",
                  "links to https://example.com/b", "tried to load https://tiles.example.com/leaflet.js"):  # fmt: skip
        expect(banner.get_by_text(words)).to_be_visible()
    expect(frame.get_by_text("Top of all", exact=True)).to_be_visible()


def test_anchor_link_in_result_scrolls_the_surrounding_page(page, make):
    make(type="custom", code=TALL, title="Contents")
    target = in_frame(page).get_by_role("heading", name="Last section")
    expect(target).not_to_be_in_viewport()
    in_frame(page).get_by_role("link", name="Last section").click()
    expect(target).to_be_in_viewport()


def test_blocked_messages_are_accepted_only_from_the_frame(page, make):
    make(type="custom", code="print('calm')", title="Calm")
    expect(in_frame(page).get_by_text("calm", exact=True)).to_be_visible()
    page.evaluate("postMessage({vizportalBlocked: 'https://forged.example.com/'}, '*')")
    page.evaluate("new Promise((done) => { addEventListener('message', done, {once: true}); postMessage(1, '*'); })")
    assert page.locator("[data-blocked]").count() == 0


@pytest.mark.parametrize("kind", ["roc_curve", "table", "confusion_matrix"])
def test_predefined_types_cause_no_blocked_requests(page, make, kind):
    make(type=kind, artifact="predictions")
    # A result reports its height after it has loaded, and so after blocked requests.
    expect(page.locator("iframe[data-result]")).to_have_attribute("style", re.compile("height"))
    assert page.locator("[data-blocked]").count() == 0


def test_keys_navigate_between_visualizations(page, make):
    # Arguments that no other test uses: the same cache key would return an existing result.
    older = make(type="table", artifact="predictions", title="Older", arguments={"max_rows": 8})
    newer = make(type="table", artifact="predictions", title="Newer", arguments={"max_rows": 7})
    page.keyboard.press("]")
    page.wait_for_url(f"**{older}")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**{newer}")


def test_admin_actions_work_without_console_errors(page, make):
    title = "For the administrator"
    make(type="table", artifact="predictions", title=title, arguments={"max_rows": 3})
    wrong = []
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto("/admin/")
    expect(page).to_have_title(re.compile("vizportal administration"))
    for path in ("/admin/visualizations/render/", "/admin/rq/", "/admin/rq/queues/0/finished/", "/admin/rq/workers/0/"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
    page.goto(f"/admin/visualizations/visualization/?q={title}")
    expect(page.locator(".render-thumbnail iframe")).to_have_count(1)
    act(page, "action_render_again")
    expect(page.locator(".messagelist")).to_contain_text("1 queued")
    act(page, "delete_selected")
    page.get_by_role("button", name="Yes").click()
    expect(page.locator(".messagelist")).to_contain_text("Successfully deleted 1 visualization")
    page.get_by_role("link", name="View site").click()
    expect(page).to_have_url(re.compile("/runs/$"))
    assert wrong == []


def act(page, action):
    page.locator("#result_list input.action-select").check()
    page.locator("select[name=action]").select_option(action)
    page.get_by_role("button", name="Go").click()
