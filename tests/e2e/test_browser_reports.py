"""A report of real results in a running portal: read, printed, shared and opened offline."""

import json
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.looks import violations
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.kernel]
PLOTLY = "import plotly.express as px\npx.line(x=[1, 2, 3], y=[2, 1, 3], title='Plotly line')"
BOKEH = (
    "from bokeh.plotting import figure, show\nfrom bokeh.io import output_notebook\noutput_notebook()\n"
    "p = figure(width=300, height=200, title='Bokeh line')\np.line([1, 2], [2, 1])\nshow(p)"
)


def call(portal, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    sent = urllib.request.Request(portal.url + path, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(sent, timeout=60) as response:
        return json.load(response)


def drawn(portal, **asked):
    made = call(portal, "/api/v1/visualizations", asked)

    def ended():
        return call(portal, made["render"]["api_url"])["state"] not in {"queued", "running"}

    wait_until(ended, 90, "the render")
    return made["id"]


@pytest.fixture(scope="module")
def report(portal):
    run = next(each for each in call(portal, "/api/v1/runs")["items"] if each["name"].startswith("tip-prediction"))
    steps = call(portal, f"/api/v1/runs/{run['id']}")["steps"]
    step = next(each for each in steps if each["name"] == "evaluator")
    place = {"run_id": run["id"], "step_id": step["id"]}
    ids = [
        drawn(portal, type="ROC_CURVE", artifact="predictions", **place),
        drawn(portal, type="TABLE", artifact="predictions", **place),
        drawn(portal, type="CUSTOM", code=PLOTLY, title="Plotly", **place),
        drawn(portal, type="CUSTOM", code=BOKEH, title="Bokeh", **place),
    ]
    body = {"title": "Weekly review", "blocks": [{"text": "# Summary\n\nBetter."}], "visualization_ids": ids}
    return call(portal, "/api/v1/reports", body)


def look(page):
    """Checks that each of the four results is drawn."""
    frames = [page.frame_locator(f"iframe >> nth={number}") for number in range(4)]
    for number, (frame, drawing) in enumerate(
        zip(frames, ["svg, canvas", "table", ".plotly svg", ".bk-Canvas, .bk-Figure, canvas"], strict=True)
    ):
        page.locator("iframe").nth(number).scroll_into_view_if_needed()
        expect(frame.locator(drawing).first).to_be_visible()


def test_report_and_link_to_it_draw_real_results(portal, browser, report, tmp_path):
    context = browser.new_context(base_url=portal.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    wrong = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.goto(report["url"])
    look(page)
    page.screenshot(path=tmp_path / "report.png", full_page=True)
    link = call(portal, "/api/v1/shares", {"report_id": report["id"]})["link"]
    page.goto(link)
    look(page)
    assert violations(page) == []
    page.screenshot(path=tmp_path / "shared.png", full_page=True)
    page.goto(f"{report['url']}?print=yes")
    expect(page.locator("img[data-picture]").first).to_be_visible()
    page.wait_for_function(
        "() => [...document.querySelectorAll('img[data-picture]')].every(each => each.complete && each.naturalWidth)"
    )
    page.screenshot(path=tmp_path / "print.png", full_page=True)
    # The page also requests pictures of results that have none, which return 404.
    assert [each for each in wrong if "404" not in each] == []
    context.close()


def test_downloaded_report_draws_results_offline(portal, browser, report, tmp_path):
    file = tmp_path / "report.html"
    with urllib.request.urlopen(portal.url + report["download_url"], timeout=60) as response:
        file.write_bytes(response.read())
    context = browser.new_context(offline=True, viewport={"width": 1440, "height": 900})
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(file.as_uri())
    look(page)
    page.screenshot(path=tmp_path / "offline.png", full_page=True)
    assert [each for each in asked if each.startswith("http")] == []
    context.close()
