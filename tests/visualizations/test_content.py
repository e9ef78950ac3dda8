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
    """The page around a 404 has tests of its own."""
    monkeypatch.setattr("vizportal.urls.handler404", lambda *_args, **_more: HttpResponse(status=404))


@pytest.fixture
def render(submit, work, row):
    made = submit(title='<b>"Scores"</b> of\nMonday')
    work()
    return row(made.render)


def test_the_picture_is_a_stranger_in_its_frame(render, browser, reader):
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


def test_in_a_page_that_hands_over_libraries_it_is_text_first(render, browser, reader):
    response = browser(reader).get(f"/renders/{render.id}/content?libraries=parent&so-far=2", headers=FRAME)
    content = b"".join(response.streaming_content)
    assert content.endswith(b"<plaintext hidden><p>picture</p>")
    assert response.headers["Content-Length"] == str(len(content))
    # Without scripts the same address, as it is.
    assert b'content="0;url=?so-far=2"' in content
    assert "blob:" in response.headers["Content-Security-Policy"].partition("style-src")[2].partition(";")[0]


@pytest.mark.parametrize("destination", ["document", "script", "object", "embed", "image", "worker"])
def test_only_a_frame_gets_the_raw_html(render, browser, owner, destination, monkeypatch):
    monkeypatch.setattr("apps.visualizations.models.Render.get_absolute_url", lambda _self: "/its/page/")
    response = browser(owner).get(f"/renders/{render.id}/content", headers={"Sec-Fetch-Dest": destination})
    assert (response.status_code, response.headers["Location"]) == (302, "/its/page/")


def test_a_script_that_sends_no_such_header_gets_it_sandboxed(render, browser, owner):
    response = browser(owner).get(f"/renders/{render.id}/content")
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"].startswith("sandbox allow-scripts;")


@pytest.mark.parametrize(("kind", "start"), [("html", b"<p>"), ("ipynb", b"{")])
def test_downloads_are_attachments_with_a_tame_name(render, browser, owner, kind, start):
    response = browser(owner).get(f"/renders/{render.id}/download.{kind}")
    assert b"".join(response.streaming_content).startswith(start)
    assert response.headers["Content-Disposition"] == f'attachment; filename="b-Scores-b-of-Monday-1.{kind}"'
    assert response.headers["Content-Security-Policy"].startswith("sandbox;")


def test_strangers_and_wrong_ids_see_nothing(render, browser, owner):
    for name in ("content", "download.html", "download.ipynb"):
        response = Client().get(f"/renders/{render.id}/{name}", headers=FRAME)
        # A frame says it in its place; whoever went there is led to the sign-in page.
        assert response.status_code == 401
        page = Client().get(f"/renders/{render.id}/{name}")
        assert page.headers["Location"].startswith("/login/")
        assert browser(owner).get(f"/renders/{uuid.uuid4()}/{name}", headers=FRAME).status_code == 404
    assert browser(owner).post(f"/renders/{render.id}/content").status_code == 405


def test_a_render_without_a_picture_or_whose_file_is_gone_is_404(submit, render, browser, owner):
    waiting = submit(force=True).render
    assert browser(owner).get(f"/renders/{waiting.id}/content", headers=FRAME).status_code == 404
    render.html.delete(save=False)
    assert browser(owner).get(f"/renders/{render.id}/content", headers=FRAME).status_code == 404


def sent_by_the_server(client, path):
    status, pieces = fetch(OneThreadHandler(), path, cookie=f"sessionid={client.cookies['sessionid'].value}")
    assert status == 200
    return b"".join(pieces)


def test_the_server_sends_it_piece_by_piece(render, browser, owner):
    assert sent_by_the_server(browser(owner), f"/renders/{render.id}/content") == b"<p>picture</p>"


LIBRARY = b"plot();" * 50_001


@pytest.fixture
def stored(kernel):
    """The address of a library in the store, and what takes its place in a download."""
    name = f"assets/{hashlib.sha256(LIBRARY).hexdigest()}.js"
    default_storage.save(name, ContentFile(LIBRARY))
    whole = b"data:text/javascript;charset=utf-8;base64," + base64.b64encode(LIBRARY)
    return SimpleNamespace(address=f"/{name}".encode(), whole=whole)


def test_a_download_has_its_libraries_in_it(submit, work, row, kernel, stored, browser, owner):
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
def test_a_reference_is_found_wherever_the_page_is_cut(stored, size):
    form = b"""<script src='%s'></script>import "%s"; x = \\"%s\\"; ["%s","%s"]"""
    page, expected = (form % ((value,) * 5) for value in (stored.address, stored.whole))
    chunks = [page[start : start + size] for start in range(0, len(page), size)]
    assert b"".join(inline_assets(chunks)) == expected
    assert inline_assets_bytes(page) == expected


@pytest.mark.parametrize(
    "page", [b'"/assets/' + b"0" * 64 + b'.js"', b"/assets/", b'"/assets/' + b"0" * 63, b"", b"<p>text</p>"]
)
def test_what_is_not_in_the_store_stays_as_it_is(stored, page):
    assert inline_assets_bytes(page) == page
    text = b"<p>" + stored.address + b"</p>"
    assert inline_assets_bytes(text) == text


def test_a_page_of_60_mb_is_never_in_memory(stored):
    row = b"<tr><td>0.5</td></tr>" * 1000
    page = [row] * 3000 + [b'"' + stored.address + b'"'] + [row]
    tracemalloc.start()
    size = sum(len(chunk) for chunk in inline_assets(page))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == 3001 * len(row) + 2 + len(stored.whole)
    assert peak < 5_000_000


def test_a_page_that_names_a_library_without_end_does_not_grow_without_end(stored, monkeypatch):
    monkeypatch.setattr("renderer.assets.MAX_INLINED_BYTES", 2 * len(LIBRARY))
    page = b'"' + stored.address + b'",'
    assert inline_assets_bytes(page * 100).count(b"data:") == 2


def test_a_script_fetches_what_the_api_named_with_its_token(render, owner):
    """Without a session: the token that read `content_url` opens it."""
    raw = token_of(owner)
    sent = {"Authorization": f"Bearer {raw}"}
    for name in ("content", "download.html", "download.ipynb"):
        response = Client().get(f"/renders/{render.id}/{name}", headers=sent)
        assert response.status_code == 200, name
    assert Client().get(f"/renders/{render.id}/content", headers={"Authorization": "Bearer no"}).status_code == 401
    led = Client().get(f"/renders/{render.id}/content")
    assert (led.status_code, led["Location"].partition("?")[0]) == (302, "/login/")


def test_a_token_of_somebody_without_a_role_opens_nothing(render, settings):
    settings.VIZPORTAL_DEFAULT_ROLE = "none"
    nobody = get_user_model().objects.create_user("nobody")
    raw = token_of(nobody)
    response = Client().get(f"/renders/{render.id}/content", headers={"Authorization": f"Bearer {raw}"})
    assert response.status_code == 403
