"""Results in frames and downloads: headers, permissions, and libraries inlined in downloads."""

import base64
import hashlib
import tracemalloc
import uuid
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.test import Client

from apps.visualizations.services.assets import inline_assets, inline_assets_bytes
from tests.asgi import fetch
from tests.callers import token_of
from vizportal.asgi_parts import OneThreadHandler

pytestmark = pytest.mark.django_db(transaction=True)
FRAME = {"Sec-Fetch-Dest": "iframe"}


@pytest.fixture(autouse=True)
def bare_not_found(monkeypatch):
    """Returns bare 404 responses; other tests cover the error page."""
    monkeypatch.setattr("vizportal.urls.handler404", lambda *_args, **_more: HttpResponse(status=404))


@pytest.fixture
def render(submit, work, row):
    made = submit(title='<b>"Scores"</b> of\nMonday')
    work()
    return row(made.render)


def test_result_in_frame_is_sandboxed_from_the_portal(render, browser, reader):
    response = browser(reader).get(f"/renders/{render.id}/content", headers=FRAME)
    assert b"".join(response.streaming_content) == b"<p>picture</p>"
    policy = response.headers["Content-Security-Policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}
    assert rules["sandbox"] == ["allow-scripts"]
    for name in ("default-src", "connect-src", "frame-src", "form-action", "base-uri"):
        assert rules[name] == ["'none'"]
    assert "http://testserver/assets/" in rules["script-src"]
    assert "'self'" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert response.headers["Content-Length"] == str(len(b"<p>picture</p>"))


def test_result_is_sent_as_plaintext_when_parent_provides_libraries(render, browser, reader):
    response = browser(reader).get(f"/renders/{render.id}/content?libraries=parent&so-far=2", headers=FRAME)
    content = b"".join(response.streaming_content)
    assert content.endswith(b"<plaintext hidden><p>picture</p>")
    assert response.headers["Content-Length"] == str(len(content))
    # A browser without scripts is sent to the same address without `libraries`.
    assert b'content="0;url=?so-far=2"' in content
    assert "blob:" in response.headers["Content-Security-Policy"].partition("style-src")[2].partition(";")[0]


@pytest.mark.parametrize("destination", ["document", "script", "object", "embed", "image", "worker"])
def test_only_a_frame_gets_the_raw_html(render, browser, owner, destination, monkeypatch):
    monkeypatch.setattr("apps.visualizations.models.Render.get_absolute_url", lambda _self: "/its/page/")
    response = browser(owner).get(f"/renders/{render.id}/content", headers={"Sec-Fetch-Dest": destination})
    assert (response.status_code, response.headers["Location"]) == (302, "/its/page/")


def test_request_without_fetch_metadata_gets_sandboxed_html(render, browser, owner):
    response = browser(owner).get(f"/renders/{render.id}/content")
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"].startswith("sandbox allow-scripts;")


@pytest.mark.parametrize(("kind", "start"), [("html", b"<p>"), ("ipynb", b"{")])
def test_downloads_are_attachments_with_sanitized_filename(render, browser, owner, kind, start):
    response = browser(owner).get(f"/renders/{render.id}/download.{kind}")
    assert b"".join(response.streaming_content).startswith(start)
    assert response.headers["Content-Disposition"] == f'attachment; filename="b-Scores-b-of-Monday-1.{kind}"'
    assert response.headers["Content-Security-Policy"].startswith("sandbox;")


def test_anonymous_users_and_unknown_ids_get_no_content(render, browser, owner):
    for name in ("content", "download.html", "download.ipynb"):
        response = Client().get(f"/renders/{render.id}/{name}", headers=FRAME)
        # A frame shows the error in place; a direct visit redirects to the sign-in page.
        assert response.status_code == 401
        page = Client().get(f"/renders/{render.id}/{name}")
        assert page.headers["Location"].startswith("/login/")
        assert browser(owner).get(f"/renders/{uuid.uuid4()}/{name}", headers=FRAME).status_code == 404
    assert browser(owner).post(f"/renders/{render.id}/content").status_code == 405


def test_render_without_result_or_with_deleted_file_returns_404(submit, render, browser, owner):
    waiting = submit(force=True).render
    assert browser(owner).get(f"/renders/{waiting.id}/content", headers=FRAME).status_code == 404
    render.html.delete(save=False)
    assert browser(owner).get(f"/renders/{render.id}/content", headers=FRAME).status_code == 404


def sent_by_the_server(client, path):
    status, pieces = fetch(OneThreadHandler(), path, cookie=f"sessionid={client.cookies['sessionid'].value}")
    assert status == 200
    return b"".join(pieces)


def test_content_is_streamed(render, browser, owner):
    assert sent_by_the_server(browser(owner), f"/renders/{render.id}/content") == b"<p>picture</p>"


LIBRARY = b"plot();" * 50_001


@pytest.fixture
def stored(kernel):
    """The address of a stored library, and the data URL that replaces it in a download."""
    name = f"assets/{hashlib.sha256(LIBRARY).hexdigest()}.js"
    default_storage.save(name, ContentFile(LIBRARY))
    whole = b"data:text/javascript;charset=utf-8;base64," + base64.b64encode(LIBRARY)
    return SimpleNamespace(address=f"/{name}".encode(), whole=whole)


def test_html_download_inlines_its_libraries(submit, work, row, kernel, stored, browser, owner):
    kernel.html = b'<script src="' + stored.address + b'"></script>'
    made = submit(title="Whole")
    work()
    render = row(made.render)
    expected = b'<script src="' + stored.whole + b'"></script>'
    response = browser(owner).get(f"/renders/{render.id}/download.html")
    assert b"".join(response.streaming_content) == expected
    assert sent_by_the_server(browser(owner), f"/renders/{render.id}/download.html") == expected
    assert "Content-Length" not in response.headers
    shown = browser(owner).get(f"/renders/{render.id}/content", headers=FRAME)
    assert b"".join(shown.streaming_content) == kernel.html


@pytest.mark.parametrize("size", [1, 7, 64, 77, 78, 79, 80, 500])
def test_library_reference_is_found_across_chunk_boundaries(stored, size):
    form = b"""<script src='%s'></script>import "%s"; x = \\"%s\\"; ["%s","%s"]"""
    page, expected = (form % ((value,) * 5) for value in (stored.address, stored.whole))
    chunks = [page[start : start + size] for start in range(0, len(page), size)]
    assert b"".join(inline_assets(chunks)) == expected
    assert inline_assets_bytes(page) == expected


@pytest.mark.parametrize(
    "page", [b'"/assets/' + b"0" * 64 + b'.js"', b"/assets/", b'"/assets/' + b"0" * 63, b"", b"<p>text</p>"]
)
def test_references_to_unknown_assets_are_left_unchanged(stored, page):
    assert inline_assets_bytes(page) == page
    text = b"<p>" + stored.address + b"</p>"
    assert inline_assets_bytes(text) == text


def test_inlining_does_not_load_60_mb_page_into_memory(stored):
    row = b"<tr><td>0.5</td></tr>" * 1000
    page = [row] * 3000 + [b'"' + stored.address + b'"'] + [row]
    tracemalloc.start()
    size = sum(len(chunk) for chunk in inline_assets(page))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == 3001 * len(row) + 2 + len(stored.whole)
    assert peak < 5_000_000


def test_inlining_stops_at_size_limit(stored, monkeypatch):
    monkeypatch.setattr("renderer.assets.MAX_INLINED_BYTES", 2 * len(LIBRARY))
    page = b'"' + stored.address + b'",'
    assert inline_assets_bytes(page * 100).count(b"data:") == 2


def test_api_token_opens_content_and_downloads(render, owner):
    """Without a session, the token that read `content_url` also opens it."""
    raw = token_of(owner)
    sent = {"Authorization": f"Bearer {raw}"}
    for name in ("content", "download.html", "download.ipynb"):
        response = Client().get(f"/renders/{render.id}/{name}", headers=sent)
        assert response.status_code == 200, name
    assert Client().get(f"/renders/{render.id}/content", headers={"Authorization": "Bearer no"}).status_code == 401
    led = Client().get(f"/renders/{render.id}/content")
    assert (led.status_code, led["Location"].partition("?")[0]) == (302, "/login/")


def test_token_of_user_without_role_gets_403(render, settings):
    settings.VIZPORTAL_DEFAULT_ROLE = "none"
    nobody = get_user_model().objects.create_user("nobody")
    raw = token_of(nobody)
    response = Client().get(f"/renders/{render.id}/content", headers={"Authorization": f"Bearer {raw}"})
    assert response.status_code == 403
