"""Links in a real browser: made on a result's page, opened without an account, embedded in a page of another site."""

import http.server
import itertools
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as live_settings
from playwright.sync_api import expect

from apps.sharing.models import Share
from tests.chromium import chromium

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKS = list(itertools.product(("light", "dark"), (1440, 390)))
PICTURE = """<!doctype html><html style="color-scheme: light dark"><body style="margin: 0"><h1>Scores</h1>
<svg viewBox="0 0 300 120" width="300" height="120"><rect width="300" height="120" fill="#2457c5"/></svg>
<script>parent.postMessage({ vizportalHeight: 333 }, "*");</script></body></html>"""


def check(page, path):
    """Looks for what axe reports, and for a page that is wider than its window."""
    page.screenshot(path=path, full_page=True)
    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture
def other_site():
    """Serves one page, which a test writes, at an origin of its own."""

    class Handler(http.server.BaseHTTPRequestHandler):
        page = ""

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(self.page.encode())

        def log_message(self, *_words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Handler.origin = f"http://127.0.0.1:{server.server_port}"
        yield Handler
        server.shutdown()


@pytest.fixture
def signed_in(live_server, browser, owner):
    def make(driven, theme="light", width=1440):
        session = browser(owner).cookies[live_settings.SESSION_COOKIE_NAME].value
        context = driven.new_context(
            color_scheme=theme, viewport={"width": width, "height": 900}, base_url=live_server.url
        )
        cookie = {"name": live_settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}
        context.add_cookies([cookie])
        return context.new_page()

    return make


def test_from_a_result_to_a_link_and_to_what_a_stranger_sees(
    anonymous, live_server, signed_in, saved, write, share, tmp_path
):
    curve = saved("ROC curve of predictions, taxi run of Monday", PICTURE, figures={"auc": 0.912, "rows": 12000})
    report = share(write("# Summary\n\nBetter.", curve, title="Weekly review"))
    with chromium() as driven:
        for theme, width in LOOKS:
            page = signed_in(driven, theme, width)
            page.goto(curve.get_absolute_url())
            page.get_by_role("link", name="Share").press("Enter")
            page.get_by_label("Pages that may embed it").fill("https://wiki.example.com")
            page.get_by_role("button", name="Make the link").press("Enter")
            page.get_by_text("Embed it", exact=True).press("Enter")
            check(page, tmp_path / f"made-{theme}-{width}.png")
            link = page.locator(".banner a").get_attribute("href")
            page.goto("/shares/")
            check(page, tmp_path / f"list-{theme}-{width}.png")
            page.context.close()
            context = driven.new_context(color_scheme=theme, viewport={"width": width, "height": 900})
            stranger = context.new_page()
            for name, address in {"shared": link, "report": live_server.url + report}.items():
                stranger.goto(address)
                expect(stranger.frame_locator("iframe").first.get_by_text("Scores")).to_be_visible()
                stranger.wait_for_function("() => document.querySelector('iframe').style.height === '333px'")
                check(stranger, tmp_path / f"{name}-{theme}-{width}.png")
            stranger.goto(f"{live_server.url}/s/{'x' * 43}/")
            check(stranger, tmp_path / f"nothing-{theme}-{width}.png")
            context.close()


def test_a_page_of_another_site_shows_it_where_the_link_allows_that(
    anonymous, live_server, signed_in, saved, other_site
):
    curve = saved("Curve", PICTURE)
    with chromium() as driven:
        page = signed_in(driven)
        page.goto(f"/shares/new/?visualization={curve.id}")
        page.get_by_label("Pages that may embed it").fill(other_site.origin)
        page.get_by_role("button", name="Make the link").click()
        other_site.page = page.locator("pre").text_content()
        site = driven.new_context().new_page()
        site.goto(other_site.origin)
        result = site.frame_locator("iframe").frame_locator("iframe")
        expect(result.get_by_text("Scores")).to_be_visible()
        # It is as high as what is in it, not as the 600 that it began with.
        site.wait_for_function("() => Number(document.querySelector('iframe').height) !== 600")
        assert 300 < int(site.locator("iframe").get_attribute("height")) < 600
        Share.objects.update(origins="https://elsewhere.example.com")
        site.goto(other_site.origin)
        site.wait_for_timeout(500)
        assert site.frames[1].url.startswith("chrome-error:")
