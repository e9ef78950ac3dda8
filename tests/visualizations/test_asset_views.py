"""The store of library code: filled by environments, read by anybody, never by the name of something else."""

import asyncio
import gzip
import hashlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.test import AsyncClient, Client

from apps.visualizations.rendering import environments
from apps.visualizations.services import assets

JS = b"plot('\xc3\xb6');" * 5000
CSS = b".plot{}"


def name_of(content, kind):
    return f"{hashlib.sha256(content).hexdigest()}.{kind}"


# The style sheet and the script of every result.
PAGES = 2


@pytest.fixture(autouse=True)
def store(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "results"
    settings.VIZPORTAL_DATA_DIR = tmp_path
    monkeypatch.setattr("vizportal.urls.handler404", lambda *_args, **_more: HttpResponse(status=404))
    return tmp_path / "results" / "assets"


@pytest.fixture
def environment(tmp_path):
    """A built environment with one script and one style sheet, and what else lies there."""
    directory = tmp_path / "environment" / "share" / "vizportal" / "assets"
    directory.mkdir(parents=True)
    for content, kind in ((JS, "js"), (CSS, "css")):
        (directory / name_of(content, kind)).write_bytes(content)
    (directory / "index.json").write_text("{}")
    return tmp_path / "environment"


def get(path, **headers):
    return Client().get(path, headers=headers)


def test_publishing_copies_once_and_never_overwrites(environment, store):
    assert assets.assets_publish(environment) == 2 + PAGES
    path = store / name_of(JS, "js")
    before = path.stat()
    assert assets.assets_publish(environment) == 0
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.read_bytes() == JS
    assert sorted(each.suffix for each in store.iterdir()) == sorted([".css", ".js", ".gz", ".gz"] * 2)
    assert gzip.decompress((store / f"{path.name}.gz").read_bytes()) == JS


def test_what_was_cut_short_is_replaced_and_what_lies_about_its_name_stays_out(environment, store):
    assets.assets_publish(environment)
    (store / name_of(JS, "js")).write_bytes(JS[:100])
    forged = environment / "share" / "vizportal" / "assets" / f"{'0' * 64}.js"
    forged.write_bytes(b"evil()")
    assert assets.assets_publish(environment) == 1
    assert (store / name_of(JS, "js")).read_bytes() == JS
    assert not (store / forged.name).exists()


def test_an_environment_without_assets_publishes_what_every_page_has_and_no_more(tmp_path, store):
    assert assets.assets_publish(tmp_path / "none") == PAGES
    for path in environments.PAGE_ASSETS_DIR.iterdir():
        assert (store / name_of(path.read_bytes(), path.suffix[1:])).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(("content", "kind", "mime"), [(JS, "js", "text/javascript"), (CSS, "css", "text/css")])
def test_anybody_gets_an_asset_for_good(environment, content, kind, mime):
    assets.assets_publish(environment)
    response = get(f"/assets/{name_of(content, kind)}")
    assert b"".join(response.streaming_content) == content
    assert response.headers["Content-Type"] == f"{mime}; charset=utf-8"
    assert response.headers["Content-Length"] == str(len(content))
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert not response.cookies


def test_a_browser_gets_it_compressed_and_only_once(environment):
    assets.assets_publish(environment)
    path = f"/assets/{name_of(JS, 'js')}"
    plain, packed = get(path, **{"Accept-Encoding": "gzip;q=0, br"}), get(path, **{"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    content = b"".join(packed.streaming_content)
    assert gzip.decompress(content) == JS
    assert packed.headers["Content-Length"] == str(len(content))
    assert plain.headers["ETag"] != packed.headers["ETag"]
    again = get(path, **{"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert get(path, **{"If-None-Match": '"other"'}).status_code == 200


def test_head_works_and_nothing_else(environment):
    assets.assets_publish(environment)
    path = f"/assets/{name_of(JS, 'js')}"
    response = Client().head(path)
    assert response.headers["Content-Length"] == str(len(JS))
    assert b"".join(response.streaming_content if response.streaming else [response.content]) == b""
    assert Client().post(path).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        f"{'0' * 64}.js",
        f"{'A' * 64}.js",
        f"{'0' * 63}.js",
        f"{'0' * 64}.html",
        f"{'0' * 64}.js.gz",
        f"{'0' * 64}.js%0A",
        f"../renders/{'0' * 64}.js",
        f"..%2Frenders%2F{'0' * 64}.js",
        "index.json",
        "",
    ],
)
@pytest.mark.django_db
def test_there_is_nothing_under_another_name(environment, path):
    assets.assets_publish(environment)
    default_storage.save(f"renders/{'0' * 64}.js", ContentFile(b"secret"))
    assert get(f"/assets/{path}").status_code == 404


def test_under_asgi_it_streams(environment):
    assets.assets_publish(environment)

    async def read():
        response = await AsyncClient().get(f"/assets/{name_of(JS, 'js')}")
        return b"".join([chunk async for chunk in response.streaming_content])

    assert asyncio.run(read()) == JS
