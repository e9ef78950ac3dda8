"""Links in a real browser: created on a result's page, opened without an account, embedded in another site."""

import http.server
import threading

import pytest
from playwright.sync_api import expect

from apps.sharing.models import Share
from tests.chromium import chromium
from tests.looks import LOOKS, check, open_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURE = """<!doctype html><html style="color-scheme: light dark"><body style="margin: 0"><h1>Scores</h1>
<svg viewBox="0 0 300 120" width="300" height="120"><rect width="300" height="120" fill="#2457c5"/></svg>
<script>parent.postMessage({ vizportalHeight: 333 }, "*");</script></body></html>"""


@pytest.fixture
def other_site():
    """Serves a page, set by the test, at a separate origin."""

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
    """Opens a page as the owner, with a theme and a width."""

    def make(driven, **look):
        return open_page(driven, live_server.url, browser(owner), **look)

    return make


def test_link_is_created_and_opened_by_an_anonymous_visitor(anonymous, live_server, signed_in, saved, write, share):
    curve = saved("ROC curve of predictions, taxi run of Monday", PICTURE, figures={"auc": 0.912, "rows": 12000})
    report = share(write("# Summary\n\nBetter.", curve, title="Weekly review"))
    with chromium() as driven:
        for theme, width in LOOKS:
            page = signed_in(driven, theme=theme, width=width)
            page.goto(curve.get_absolute_url())
            page.get_by_role("link", name="Share").press("Enter")
            page.get_by_label("Pages that may embed it").fill("https://wiki.example.com")
            page.get_by_role("button", name="Make the link").press("Enter")
            page.get_by_text("Embed it", exact=True).press("Enter")
            check(page)
            link = page.locator(".banner a").get_attribute("href")
            page.goto("/shares/")
            check(page)
            page.context.close()
            stranger = open_page(driven, live_server.url, theme=theme, width=width)
            for address in (link, report):
                stranger.goto(address)
                expect(stranger.frame_locator("iframe").first.get_by_text("Scores")).to_be_visible()
                stranger.wait_for_function("() => document.querySelector('iframe').style.height === '333px'")
                check(stranger)
            stranger.goto(f"/s/{'x' * 43}/")
            check(stranger)
            stranger.context.close()


def test_result_is_embedded_only_in_allowed_sites(anonymous, live_server, signed_in, saved, other_site):
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
        # The frame takes the height of its content instead of the initial 600.
        site.wait_for_function("() => Number(document.querySelector('iframe').height) !== 600")
        assert 300 < int(site.locator("iframe").get_attribute("height")) < 600
        Share.objects.update(origins="https://elsewhere.example.com")
        with site.expect_event("framenavigated", lambda frame: frame.url.startswith("chrome-error:")):
            site.goto(other_site.origin)
