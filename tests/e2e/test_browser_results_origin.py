"""Results on a separate origin in Chromium: two host names of the same machine are two origins."""

import json
import urllib.request
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.portals import running_portal, sampled_data
from tests.servers import free_port

pytestmark = [pytest.mark.browser, pytest.mark.kernel]
CODE = """import time
import plotly.express as px
from IPython.display import HTML, display
display(HTML('<p id="first">first</p>'))
time.sleep(2)
# %%
time.sleep(8)
px.scatter(x=[1, 2], y=[2, 1])
"""


@pytest.fixture(scope="module")
def two_origins(tmp_path_factory):
    port = free_port()
    settings = {"ALLOW_CUSTOM_VISUALIZATIONS": "true", "VIZPORTAL_RESULTS_ORIGIN": f"http://localhost:{port}"}
    with running_portal(sampled_data(tmp_path_factory, "origins"), port=port, **settings) as found:
        yield found


@pytest.fixture
def made(two_origins):
    """The API's response for a visualization that draws with a library and still runs."""
    run = two_origins.get("/api/v1/runs")["items"][0]
    step = two_origins.get(f"/api/v1/runs/{run['id']}")["steps"][0]
    body = {"run_id": run["id"], "step_id": step["id"], "type": "custom", "code": CODE, "title": "Two origins"}
    request = urllib.request.Request(
        f"{two_origins.url}/api/v1/visualizations", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


def test_result_is_drawn_from_results_origin_without_cookies(two_origins, browser, made):
    context = browser.new_context(base_url=two_origins.url, viewport={"width": 1440, "height": 900})
    page, wrong, sent = context.new_page(), [], []

    def note(request):
        sent.append(request)

    page.set_default_timeout(60_000)
    page.on("console", lambda line: wrong.append(f"{line.text} {line.location}") if line.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    context.on("request", note)
    page.goto(urlsplit(made["url"]).path)
    context.add_cookies([{"name": "canary", "value": "1", "url": two_origins.url}])
    # While the render runs, its page so far is shown.
    expect(page.frame_locator("iframe.so-far").last.locator("#first")).to_be_visible()
    expect(page.frame_locator("iframe[data-card]").locator(".scatterlayer path.point").nth(1)).to_be_visible()
    shown = [frame for frame in page.frames if "/content" in frame.url]
    home, results = urlsplit(two_origins.url).netloc, f"localhost:{urlsplit(two_origins.url).port}"
    assert {urlsplit(frame.url).netloc for frame in shown} == {results}
    assert [frame.evaluate("self.origin") for frame in shown] == ["null"] * len(shown)
    there = [each for each in sent if urlsplit(each.url).netloc == results]
    assert {urlsplit(each.url).path.split("/")[1] for each in there} == {"renders", "assets"}
    assert not [each.url for each in there if "cookie" in each.all_headers()]
    assert not [each.url for each in sent if urlsplit(each.url).netloc == home and "/assets/" in each.url]
    page.get_by_label("More for Two origins").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download HTML").click()
    assert b"scatter" in download.value.path().read_bytes()
    context.close()
    assert wrong == []


def test_content_opened_in_a_tab_redirects_to_the_renders_page(two_origins, browser, made):
    context = browser.new_context(base_url=two_origins.url)
    page = context.new_page()
    page.goto(made["render"]["api_url"].replace("/api/v1", "") + "/content")
    assert urlsplit(page.url).path == urlsplit(made["render"]["url"]).path
    context.close()
