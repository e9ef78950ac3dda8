"""The links that kfp.Client prints lead to the portal's pages."""

import pytest

from packages.localkfp.tests.conftest import make_server
from tests.chromium import chromium

RUN = "6f1c7c1e-0000-4000-8000-1234567890ab"


@pytest.fixture
def linked(http, tmp_path):
    made = make_server(http, tmp_path, portal_url="http://portal.invalid:8000")
    http.app = made.app
    yield http.url
    made.store.close()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("link", "page"),
    [
        (f"/#/runs/details/{RUN}", f"/runs/{RUN}/"),
        ("/#/experiments/details/e1", "/runs/?experiment=e1"),
        ("/#/pipelines/details/p1", "/pipelines/p1/"),
        ("/#/pipelines/details/p1/version/v2?tab=x", "/pipelines/p1/versions/v2/"),
        ("/#/recurringrun/details/s1", "/recurring/s1/"),
        ("/#/pipelines", "/pipelines/"),
        ("/", "/runs/"),
        ("/#//evil.invalid/runs/details/x", "/runs/"),
        ("/#/runs/details/..%2F..%2Fadmin", "/runs/..%2F..%2Fadmin/"),
    ],
)
def test_kfp_client_link_opens_the_portals_page(linked, link, page):
    with chromium() as browser:
        tab = browser.new_page()
        tab.route("http://portal.invalid:8000/**", lambda route: route.fulfill(body="here"))
        tab.goto(linked + link)
        tab.wait_for_url("http://portal.invalid:8000/**")
        assert tab.url == f"http://portal.invalid:8000{page}"


def test_page_opens_without_javascript_and_from_other_sites(linked, http):
    answer = http.request("GET", "/", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert '<a href="http://portal.invalid:8000/runs/">' in answer.text
    assert http.request("GET", "/apis/v2beta1/runs", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_page_without_portal_says_that_there_are_no_pages(server):
    assert "It has no pages of its own." in server.call("GET", "/").text
