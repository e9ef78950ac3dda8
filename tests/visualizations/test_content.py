import asyncio
import uuid

import pytest
from django.http import HttpResponse
from django.test import AsyncClient, Client

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
        assert response.status_code == 302
        assert "/login/" in response.headers["Location"]
        assert browser(owner).get(f"/renders/{uuid.uuid4()}/{name}", headers=FRAME).status_code == 404
    assert browser(owner).post(f"/renders/{render.id}/content").status_code == 405


def test_a_render_without_a_picture_or_whose_file_is_gone_is_404(submit, render, browser, owner):
    waiting = submit(force=True).render
    assert browser(owner).get(f"/renders/{waiting.id}/content", headers=FRAME).status_code == 404
    render.html.delete(save=False)
    assert browser(owner).get(f"/renders/{render.id}/content", headers=FRAME).status_code == 404


def test_under_asgi_it_streams(render, owner):
    async def read():
        client = AsyncClient()
        await client.aforce_login(owner)
        response = await client.get(f"/renders/{render.id}/content", headers=FRAME)
        return b"".join([chunk async for chunk in response.streaming_content])

    assert asyncio.run(read()) == b"<p>picture</p>"
