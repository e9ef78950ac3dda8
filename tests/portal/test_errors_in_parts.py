"""Errors match the request: a page for a page, and one sentence for an htmx part or a frame."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true"}
FRAME = {"Sec-Fetch-Dest": "iframe"}
# A browser on plain HTTP does not send Sec-Fetch-Dest.
SILENT_FRAME = {"Accept": "text/html,application/xhtml+xml"}
NOBODY = "00000000-0000-0000-0000-000000000000"
FRAMED = [
    "/runs/r/steps/s/artifacts/a/frame",
    "/runs/r/steps/s/artifacts/a/viewers/0/app",
    f"/renders/{NOBODY}/content",
]


@pytest.fixture
def viewer(client):
    user = get_user_model().objects.create_user("vera")
    user.groups.add(Group.objects.get(name="Viewers"))
    client.force_login(user)
    return client


def is_page(response):
    return b"site-header" in response.content


@pytest.mark.parametrize("path", ["/runs/", "/runs/r/", "/visualizations/", "/runs/r/steps/s/visualizations/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_part_for_signed_out_user_is_one_sentence(client, path, method):
    response = getattr(client, method)(path, headers=PART)
    assert response.status_code == 401
    assert response["Content-Type"].startswith("text/plain")
    assert b"signed out" in response.content


@pytest.mark.parametrize("path", FRAMED)
@pytest.mark.parametrize("headers", [FRAME, SILENT_FRAME])
def test_frame_for_signed_out_user_says_so(client, path, headers):
    response = client.get(path, headers=headers)
    assert response.status_code == 401
    assert b"signed out" in response.content
    assert not is_page(response)
    assert "sandbox" in response["Content-Security-Policy"]


def test_sign_in_after_post_returns_to_the_referring_page(client):
    headers = {"Referer": "http://testserver/runs/?q=tips"}
    assert client.post("/runs/selection", headers=headers)["Location"] == "/login/?next=/runs/%3Fq%3Dtips"
    foreign = {"Referer": "http://evil.example/runs/"}
    assert client.post("/runs/selection", headers=foreign)["Location"] == "/login/?next=/"


@pytest.mark.parametrize(("headers", "kind"), [(PART, "text/plain"), (FRAME, "text/html"), ({}, "text/html")])
def test_403_and_404_keep_their_message_in_parts_and_frames(viewer, headers, kind):
    for method, path, status, words in [
        ("post", "/runs/undo", 403, b"group Creators"),
        ("get", f"/visualizations/{NOBODY}/", 404, b""),
    ]:
        response = getattr(viewer, method)(path, headers=headers)
        assert response.status_code == status
        assert response["Content-Type"].startswith(kind)
        assert words in response.content
        assert is_page(response) == (not headers)


def test_form_older_than_the_sign_in_is_refused_with_a_link_back(viewer):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = viewer.cookies
    page = strict.post("/runs/undo", headers={"Referer": "http://testserver/runs/"})
    assert page.status_code == 403
    assert b"older than your sign-in" in page.content
    assert b'href="/runs/"' in page.content
    part = strict.post("/runs/undo", headers=PART)
    assert part["Content-Type"].startswith("text/plain")


def test_history_restore_request_gets_a_page(client):
    response = client.get("/runs/", headers=PART | {"HX-History-Restore-Request": "true"})
    assert response.status_code == 302
