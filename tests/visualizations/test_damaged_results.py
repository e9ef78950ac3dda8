"""The portal never serves a changed stored file as a complete result, and its page says what to do."""

import gzip
import hashlib
import os

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.test import Client

from apps.kfp_service.ends import end_read
from apps.visualizations.models import Render
from apps.visualizations.services import assets, results, stored
from tests.asgi import fetch
from tests.callers import caller
from vizportal.asgi_parts import OneThreadHandler

pytestmark = pytest.mark.django_db(transaction=True)
FRAME = {"Sec-Fetch-Dest": "iframe"}
PAGES = {"small": b"<p>picture</p>", "large": b"<p>picture</p>" * 500_000}
CHANGES = {
    "cut short": lambda content: content[: len(content) // 2],
    "emptied": lambda _content: b"",
    "longer": lambda content: content + b"<script>evil()</script>",
    "altered": lambda content: content[:-5] + b"evil!",
    "altered at the beginning": lambda content: b"evil!" + content[5:],
}


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(stored, "known", stored.Known())


@pytest.fixture(params=PAGES)
def render(request, submit, work, row, kernel):
    kernel.html = PAGES[request.param]
    made = submit()
    work()
    return row(made.render)


def change(settings, name, how):
    path = settings.MEDIA_ROOT / name
    path.write_bytes(CHANGES[how](path.read_bytes()))


def is_sent_whole(response):
    """Whether the response delivers all the bytes that it announces."""
    if response.status_code != 200:
        return False
    try:
        return sum(map(len, response.streaming_content)) == int(response["Content-Length"])
    except stored.DamagedError:
        return False


@pytest.mark.parametrize("how", CHANGES)
def test_changed_page_is_not_served_as_complete(render, settings, browser, owner, how):
    change(settings, render.html.name, how)
    client = browser(owner)
    first = client.get(f"/renders/{render.id}/content", headers=FRAME)
    assert not is_sent_whole(first)
    assert Render.objects.get(id=render.id).damaged_at
    card = client.get(f"/renders/{render.id}/fragment").content.decode()
    assert "The stored result is damaged" in card
    assert "Render again" in card
    assert "<iframe" not in card


@pytest.mark.parametrize("how", CHANGES)
def test_changed_small_page_is_not_shown_at_all(submit, work, row, settings, browser, owner, how):
    made = submit()
    work()
    render = row(made.render)
    change(settings, render.html.name, how)
    response = browser(owner).get(f"/renders/{render.id}/content", headers=FRAME)
    assert response.status_code == 500
    assert b"evil" not in response.content
    assert b"Render again" in response.content
    assert response["Content-Security-Policy"].startswith("sandbox allow-scripts;")


@pytest.mark.parametrize("kind", ["html", "ipynb"])
def test_changed_download_returns_500(submit, work, row, settings, browser, owner, kind):
    made = submit()
    work()
    render = row(made.render)
    change(settings, (render.html if kind == "html" else render.notebook).name, "altered")
    response = browser(owner).get(f"/renders/{render.id}/download.{kind}")
    assert response.status_code == 500
    assert "Content-Disposition" not in response.headers


def test_server_aborts_transfer_of_changed_file(submit, work, row, settings, kernel, browser, owner):
    kernel.html = PAGES["large"]
    made = submit()
    work()
    render = row(made.render)
    change(settings, render.html.name, "altered")
    cookie = browser(owner).cookies["sessionid"].value
    with pytest.raises(stored.DamagedError):
        fetch(
            OneThreadHandler(),
            f"/renders/{render.id}/content",
            **{"cookie": f"sessionid={cookie}", **FRAME},
        )


def test_restored_result_is_shown_again(render, settings, browser, owner):
    path = settings.MEDIA_ROOT / render.html.name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    client = browser(owner)
    assert not is_sent_whole(client.get(f"/renders/{render.id}/content", headers=FRAME))
    path.write_bytes(whole)
    assert "<iframe" in client.get(f"/renders/{render.id}/fragment").content.decode()
    assert Render.objects.get(id=render.id).damaged_at is None
    assert is_sent_whole(client.get(f"/renders/{render.id}/content", headers=FRAME))


def test_damaged_result_is_not_reused_for_new_request(submit, work, row, settings, browser, owner):
    made = submit()
    work()
    assert not submit().is_new
    change(settings, row(made.render).html.name, "altered")
    browser(owner).get(f"/renders/{made.render.id}/content", headers=FRAME)
    assert submit().is_new


def test_kubeflow_protocol_reports_damaged_result_as_portal_fault(submit, work, row, settings, owner):
    made = submit()
    work()
    change(settings, row(made.render).html.name, "altered")
    end = end_read(caller(owner), made.render.id)
    assert (end.is_good, end.is_our_fault) == (False, True)
    assert "damaged" in end.message


def test_file_is_hashed_once_until_it_changes(render, monkeypatch, settings):
    measured = []
    real = hashlib.sha256
    monkeypatch.setattr(stored.hashlib, "sha256", lambda: measured.append(1) or real())
    for _ in range(3):
        assert b"".join(results.result_open(render, "html"))
    assert measured == [1]
    path = settings.MEDIA_ROOT / render.html.name
    times = path.stat()
    path.write_bytes(CHANGES["altered"](path.read_bytes()))
    # A program can reset these times, but not the file system's own change time (ctime).
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(stored.DamagedError):
        b"".join(results.result_open(render, "html"))


def test_notebook_without_stored_digest_is_served(render, browser, owner):
    Render.objects.filter(id=render.id).update(notebook_bytes=None, notebook_sha256="")
    assert browser(owner).get(f"/renders/{render.id}/download.ipynb").status_code == 200


JS = b"plot();" * 1000
DIGEST = hashlib.sha256(JS).hexdigest()


def asset(**headers):
    return Client(raise_request_exception=False).get(f"/assets/{DIGEST}.js", headers=headers)


@pytest.mark.parametrize("how", CHANGES)
def test_changed_asset_returns_404_until_published_again(settings, tmp_path, how, monkeypatch):
    monkeypatch.setattr("vizportal.urls.handler404", lambda *_args, **_more: HttpResponse(status=404))
    settings.MEDIA_ROOT = tmp_path / "results"
    folder = tmp_path / "environment" / "share" / "vizportal" / "assets"
    folder.mkdir(parents=True)
    (folder / f"{DIGEST}.js").write_bytes(JS)
    assets.assets_publish(tmp_path / "environment")
    change(settings, f"assets/{DIGEST}.js", how)
    assert asset().status_code == 404
    assert gzip.decompress(b"".join(asset(**{"Accept-Encoding": "gzip"}).streaming_content)) == JS
    change(settings, f"assets/{DIGEST}.js.gz", how)
    assert asset(**{"Accept-Encoding": "gzip"}).status_code == 404
    assert assets.assets_publish(tmp_path / "environment") == 1
    assert b"".join(asset().streaming_content) == JS
    assert gzip.decompress(b"".join(asset(**{"Accept-Encoding": "gzip"}).streaming_content)) == JS


def test_gzip_of_other_content_is_not_served_as_the_asset(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "results"
    default_storage.save(f"assets/{DIGEST}.js.gz", ContentFile(gzip.compress(b"evil()")))
    default_storage.save(f"assets/{DIGEST}.js", ContentFile(JS))
    answer = asset(**{"Accept-Encoding": "gzip"})
    content = b"".join(answer.streaming_content)
    # Either the stored file, or the stored file compressed by a middleware.
    assert (gzip.decompress(content) if answer.headers.get("Content-Encoding") == "gzip" else content) == JS
