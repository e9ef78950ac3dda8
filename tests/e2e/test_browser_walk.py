"""The complete workflow in Chromium: by mouse, by keyboard, in both themes, without external requests."""

import json
import re
import urllib.request
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.looks import violations
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.kernel]


@pytest.fixture(params=["light"])
def page(request, browser, portal):
    """A page that fails the test on a console error, a failed request, or a request to another host."""
    options = {"viewport": {"width": 1440, "height": 900}, "color_scheme": request.param, "base_url": portal.url}
    context = browser.new_context(**options)
    opened = context.new_page()
    wrong = []
    home = urlsplit(portal.url).netloc
    opened.on(
        "console",
        lambda message: wrong.append(f"{message.text} {message.location['url']}") if message.type == "error" else None,
    )
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    context.on(
        "request",
        lambda sent: wrong.append(sent.url) if urlsplit(sent.url).netloc not in {home, ""} else None,
    )
    opened.set_default_timeout(30_000)
    yield opened
    context.close()
    assert wrong == []


def in_frame(page, selector="iframe[data-result]"):
    return page.frame_locator(selector).first


def api(portal, path):
    with urllib.request.urlopen(portal.url + path, timeout=20) as response:
        return json.load(response)


def post(portal, path, body):
    sent = urllib.request.Request(
        portal.url + path, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(sent, timeout=20) as response:
        return json.load(response)


def sample(portal, name):
    return next(run for run in api(portal, "/api/v1/runs")["items"] if run["name"].startswith(name))


def test_creating_a_run_and_a_roc_curve_by_mouse(page):
    page.goto("/pipelines/")
    page.get_by_role("link", name="tip-prediction").first.click()
    page.get_by_role("link", name=re.compile("Create run|New run")).last.click()
    page.get_by_label("Run name").fill("walked by mouse")
    page.get_by_role("button", name=re.compile("Create|Start")).click()
    expect(page.get_by_role("heading", name="walked by mouse")).to_be_visible()
    # The page updates by itself.
    expect(page.locator(".page-header .state-succeeded")).to_be_visible(timeout=180_000)
    page.locator("svg a", has_text="evaluator").click()
    creator = page.locator("[data-creator-form]")
    expect(creator).to_be_visible()
    creator.get_by_text("ROC curve").click()
    expect(creator.get_by_text("True positive rate against false")).to_be_visible()
    creator.get_by_text("options at their defaults").click()
    expect(creator.get_by_label("Score column", exact=True)).to_be_visible()
    creator.get_by_role("button", name="Generate Visualization").click()
    expect(page.locator(".render").first).to_be_in_viewport()
    expect(in_frame(page).get_by_text(re.compile(r"AUC 0\.")).first).to_be_visible(timeout=60_000)
    page.locator(".render h3 a").first.click()
    expect(in_frame(page).get_by_text(re.compile(r"AUC 0\.")).first).to_be_visible()
    link = page.url
    page.goto("/visualizations/")
    assert page.locator(f"a[href='{urlsplit(link).path}']").count() >= 1


def unfold_creator(page):
    """Opens the Creator, which is folded if another test has rendered something of this step."""
    expect(page.locator("[data-creator-form]")).to_have_count(1)
    fold = page.locator("details.creator-fold > summary")
    if fold.count():
        fold.focus()
        page.keyboard.press("Enter")
    expect(page.locator("[data-creator-form]")).to_be_visible()


def test_creating_a_table_of_a_run_by_keyboard_only(page, portal):
    run = sample(portal, "tip-prediction")
    page.goto("/runs/")
    keys = page.keyboard
    for _ in range(60):
        keys.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == run["name"]:
            break
    keys.press("Enter")
    page.wait_for_url(f"**/runs/{run['id']}/")
    for _ in range(60):
        keys.press("Tab")
        if page.evaluate(
            "document.activeElement.matches('svg a') && document.activeElement.textContent.includes('evaluator')"
        ):
            break
    keys.press("Enter")
    unfold_creator(page)
    for _ in range(80):
        keys.press("Tab")
        if page.evaluate("document.activeElement.name") == "type":
            break
    while page.evaluate("document.querySelector('[name=type]:checked').value") != "table":
        before = page.evaluate("document.querySelector('[name=type]:checked').value")
        keys.press("ArrowRight")
        page.wait_for_function("before => document.querySelector('[name=type]:checked').value !== before", arg=before)
        page.wait_for_function(
            "() => !document.querySelector('.htmx-request') && document.activeElement.name === 'type'"
        )
    for _ in range(40):
        keys.press("Tab")
        if "Generate" in page.evaluate("document.activeElement.textContent"):
            break
    keys.press("Enter")
    expect(in_frame(page).locator("tbody tr").first).to_be_visible(timeout=60_000)


def test_refused_form_keeps_its_input(page, portal):
    run = api(portal, f"/api/v1/runs/{sample(portal, 'tip-prediction')['id']}")
    step = next(each for each in run["steps"] if each["name"] == "evaluator")
    page.goto(f"/runs/{run['id']}/steps/{step['id']}/visualizations/?type=table&new=1")
    page.get_by_text("options at their defaults").click()
    page.get_by_label("Rows to embed").fill("0")
    page.get_by_label("Source").fill("s3://nowhere/else")
    page.get_by_text("Title and time limit").click()
    page.get_by_label("Title", exact=True).fill("My own words")
    page.get_by_role("button", name="Generate Visualization").click()
    expect(page.locator("[data-creator-form] .error").first).to_be_visible()
    assert page.get_by_label("Rows to embed").input_value() == "0"
    assert page.get_by_label("Source").input_value() == "s3://nowhere/else"
    assert page.locator("[name=title]").input_value() == "My own words"


def test_failing_custom_code_shows_the_failed_line(page, portal):
    run = api(portal, f"/api/v1/runs/{sample(portal, 'tip-prediction')['id']}")
    step = next(each for each in run["steps"] if each["name"] == "evaluator")
    page.goto(f"/runs/{run['id']}/steps/{step['id']}/visualizations/?type=custom&new=1")
    editor = page.locator(".editor .cm-content")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.type("answer = 40 + 2\nprint('the answer is', answer)\nraise RuntimeError('on purpose')")
    page.get_by_role("button", name="Generate Visualization").click()
    card = page.locator(".render").first
    expect(card).to_contain_text("RuntimeError: on purpose", timeout=60_000)
    expect(card.locator(".line-error")).to_contain_text("raise RuntimeError")


PAGES = [
    "/runs/",
    "/pipelines/",
    "/experiments/",
    "/visualizations/",
    "/reports/",
    "/reports/new/",
    "/shares/",
    "/design/",
    "/runs/new/",
    "RUN",
    "STEP",
]


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_no_violations(page, portal, path):
    if path in {"RUN", "STEP"}:
        run = api(portal, f"/api/v1/runs/{sample(portal, 'tip-prediction')['id']}")
        step = next(each for each in run["steps"] if each["name"] == "evaluator")
        path = f"/runs/{run['id']}/" + (f"steps/{step['id']}/?tab=artifacts" if path == "STEP" else "")
    page.goto(path)
    page.wait_for_load_state("networkidle")
    assert violations(page) == []


@pytest.mark.parametrize("width", [390, 740, 900, 1100, 1440])
def test_pages_do_not_scroll_horizontally(page, portal, width):
    page.set_viewport_size({"width": width, "height": 844})
    run = api(portal, f"/api/v1/runs/{sample(portal, 'tip-prediction')['id']}")
    for path in ["/runs/", "/pipelines/", "/visualizations/", "/design/", "/runs/new/", f"/runs/{run['id']}/"]:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


SQUEEZED_CELLS = """() => [...document.querySelectorAll("td")]
    .filter(cell => cell.innerText.trim().length > 12 && cell.clientWidth < 80)
    .map(cell => [cell.innerText, cell.clientWidth])"""


def test_gallery_list_cells_stay_readable_on_narrow_screen(page, portal):
    run = api(portal, f"/api/v1/runs/{sample(portal, 'tip-prediction')['id']}")
    step = next(each for each in run["steps"] if each["name"] == "evaluator")
    body = {"run_id": run["id"], "step_id": step["id"], "artifact": "predictions", "type": "table"}
    made = post(portal, "/api/v1/visualizations", body)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/visualizations/?view=list")
    expect(page.locator(f"[data-row] input[value='{made['id']}']")).to_be_visible()
    assert page.evaluate(SQUEEZED_CELLS) == []


IS_WITHIN = """menu => {
    const box = menu.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && box.left >= 0 && box.right <= innerWidth;
}"""


@pytest.mark.parametrize("width", [390, 1440])
def test_menus_open_within_the_screen(page, portal, width):
    page.set_viewport_size({"width": width, "height": 1200})
    run = api(portal, f"/api/v1/runs/{sample(portal, 'tip-prediction')['id']}")
    step = next(each for each in run["steps"] if each["name"] == "evaluator")
    body = {"run_id": run["id"], "step_id": step["id"], "artifact": "by_day", "type": "table"}
    post(portal, "/api/v1/visualizations", body)
    for path in ["/runs/?q=tip", f"/runs/{run['id']}/", f"/runs/{run['id']}/steps/evaluator/"]:
        page.goto(path)
        menus = page.locator("details.menu:visible")
        # The menus of the account and of saved filters or tags, and on a step those of its results.
        expect(menus.nth(1)).to_be_visible()
        for menu in menus.all():
            menu.locator("> summary").click()
            expect(menu).to_have_attribute("open", "")
            # The menu moves after it opens; a menu longer than the window scrolls.
            page.wait_for_function(IS_WITHIN, arg=menu.locator("> .menu-items").element_handle())
            menu.locator("> summary").click()
            expect(menu).not_to_have_attribute("open", "")


# Bytes of script, as sent, that a browser loads for one page.
MOST_SCRIPT_BYTES = 25_000
# Limits with gzip only (HTTP from another machine) for pages with a step beside the graph.
MOST_GZIP_BYTES = {"step with a result": 28_000, "log": 26_000}


@pytest.fixture
def pages(portal):
    """Returns the path of one page of each kind."""
    run = api(portal, f"/api/v1/runs/{sample(portal, 'tip-prediction')['id']}")
    step = next(each for each in run["steps"] if each["name"] == "evaluator")
    body = {"run_id": run["id"], "step_id": step["id"], "artifact": "by_day", "type": "table"}
    made = post(portal, "/api/v1/visualizations", body)
    wait_until(lambda: api(portal, f"/api/v1/renders/{made['render']['id']}")["state"] == "succeeded", 60, "the render")
    report = post(portal, "/api/v1/reports", {"title": "Read", "blocks": [{"visualization": made["id"]}]})
    version = f"/pipelines/{run['pipeline_id']}/"
    return {
        "runs": "/runs/",
        "run": f"/runs/{run['id']}/",
        "run as a timeline": f"/runs/{run['id']}/?view=timeline",
        "step with a result": f"/runs/{run['id']}/steps/{step['id']}/",
        "log": f"/runs/{run['id']}/steps/{step['id']}/?tab=logs",
        "new run": "/runs/new/",
        "pipelines": "/pipelines/",
        "pipeline": version,
        "experiments": "/experiments/",
        "gallery": "/visualizations/",
        "visualization": urlsplit(made["url"]).path,
        "reports": "/reports/",
        "report": urlsplit(report["url"]).path,
        "rules": "/rules/",
        "alerts": "/alerts/",
        "proposals": "/proposals/",
        "links": "/shares/",
        "queue": "/queue/",
        "statistics": "/queue/statistics/",
    }


def gzip_bytes(address):
    sent = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(sent, timeout=20) as response:
        return len(response.read())


def test_script_size_is_limited_on_every_kind_of_page(page, portal, pages):
    """Charts and the code editor load only where used, and a result's libraries load in its frame."""
    sizes = {}
    for name, path in pages.items():
        page.goto(path)
        page.wait_for_load_state("networkidle")
        loaded = page.evaluate("""performance.getEntriesByType("resource")
            .filter((each) => each.initiatorType === "script")
            .map((each) => [each.name, each.encodedBodySize])""")
        assert any("/htmx." in address for address, _size in loaded)
        sizes[name] = sum(size for _address, size in loaded), sum(gzip_bytes(address) for address, _size in loaded)
    print(*(f"{name:20} {brotli:6} {packed:6}" for name, (brotli, packed) in sizes.items()), sep="\n")
    assert {name: brotli for name, (brotli, _gzip) in sizes.items() if brotli > MOST_SCRIPT_BYTES} == {}
    most = {name: MOST_GZIP_BYTES.get(name, MOST_SCRIPT_BYTES) for name in sizes}
    assert {name: packed for name, (_brotli, packed) in sizes.items() if packed > most[name]} == {}


def test_result_cannot_reach_portal_or_network(page, portal):
    run = api(portal, f"/api/v1/runs/{sample(portal, 'tip-prediction')['id']}")
    step = next(each for each in run["steps"] if each["name"] == "evaluator")
    attack = """
from IPython.display import HTML
HTML('''<script>
const seen = [];
const attempt = async (name, action) => { try { await action(); seen.push(name); } catch (error) {} };
(async () => {
  await attempt("parent", () => parent.document.body.innerHTML);
  // Both are substitutes of the page's own, in memory: what was kept by anybody else is not in them.
  await attempt("cookie", () => { if (!document.cookie) throw 1; });
  await attempt("fetch", () => fetch("PORTAL/api/v1/runs"));
  await attempt("storage", () => { if (!localStorage.length && !sessionStorage.length) throw 1; });
  document.cookie = "kept=1; max-age=1000";
  localStorage.setItem("kept", "1");
  await attempt("popup", () => { if (!window.open("about:blank")) throw 1; });
  document.title = "done";
  document.body.dataset.seen = JSON.stringify(seen);
})();
</script>''')
""".replace("PORTAL", portal.url)
    body = {"run_id": run["id"], "step_id": step["id"], "type": "custom", "code": attack}
    made = post(portal, "/api/v1/visualizations", body)
    context = page.context.browser.new_context(base_url=portal.url)
    try:
        other = context.new_page()
        other.goto(made["url"] if made["url"].startswith("/") else urlsplit(made["url"]).path)
        frame = in_frame(other)
        expect(frame.locator("body[data-seen]")).to_have_attribute("data-seen", "[]", timeout=60_000)
        other.reload()
        expect(in_frame(other).locator("body[data-seen]")).to_have_attribute("data-seen", "[]", timeout=60_000)
        # The step's page shows its saved results, so this one must not stay for other tests.
        context.request.delete(f"/api/v1/visualizations/{made['id']}", headers={"Origin": portal.url})
    finally:
        context.close()
