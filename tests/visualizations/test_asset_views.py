"""The store of library code: environments fill it, anyone may read it, and only valid asset names are served."""

import gzip
import hashlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import HttpResponse
from django.test import Client
from renderer.environments import PAGE_ASSETS_DIR
from vizkit import STATIC_DIR

from apps.visualizations.services import assets
from tests.asgi import fetch
from vizportal.asgi_parts import OneThreadHandler

pytestmark = pytest.mark.django_db

JS = b"plot('\xc3\xb6');" * 5000
CSS = b".plot{}"


def name_of(content, kind):
    return f"{hashlib.sha256(content).hexdigest()}.{kind}"


# Assets of every result page: its style sheet and its script.
PAGES = sum(len(list(folder.iterdir())) for folder in (PAGE_ASSETS_DIR, STATIC_DIR))


@pytest.fixture(autouse=True)
def store(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "results"
    settings.VIZPORTAL_DATA_DIR = tmp_path
    monkeypatch.setattr("vizportal.urls.handler404", lambda *_args, **_more: HttpResponse(status=404))
    return tmp_path / "results" / "assets"


@pytest.fixture
def environment(tmp_path):
    """A built environment with one script, one style sheet and an unrelated file."""
    directory = tmp_path / "environment" / "share" / "vizportal" / "assets"
    directory.mkdir(parents=True)
    for content, kind in ((JS, "js"), (CSS, "css")):
        (directory / name_of(content, kind)).write_bytes(content)
    (directory / "index.json").write_text("{}")
    return tmp_path / "environment"


def get(path, **headers):
    return Client().get(path, headers=headers)


def test_publishing_copies_each_asset_once_and_never_overwrites(environment, store):
    assert assets.assets_publish(environment) == 2 + PAGES
    path = store / name_of(JS, "js")
    before = path.stat()
    assert assets.assets_publish(environment) == 0
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.read_bytes() == JS
    names = {each.name for each in store.iterdir()}
    assert len(names) == 2 * (2 + PAGES)
    assert {name.removesuffix(".gz") for name in names} == {name for name in names if not name.endswith(".gz")}
    assert gzip.decompress((store / f"{path.name}.gz").read_bytes()) == JS


def test_publishing_replaces_truncated_assets_and_rejects_forged_names(environment, store):
    assets.assets_publish(environment)
    (store / name_of(JS, "js")).write_bytes(JS[:100])
    forged = environment / "share" / "vizportal" / "assets" / f"{'0' * 64}.js"
    forged.write_bytes(b"evil()")
    assert assets.assets_publish(environment) == 1
    assert (store / name_of(JS, "js")).read_bytes() == JS
    assert not (store / forged.name).exists()


def test_publishing_keeps_asset_that_another_process_wrote_meanwhile(environment, store, monkeypatch):
    """Two workers start at once with a shared store: the other one writes after our last check and before our write."""
    theirs = store / name_of(JS, "js")
    written = []

    def late(look):
        def answer(storage, name):
            try:
                return look(storage, name)
            finally:
                if name.endswith(theirs.name) and not written and theirs.with_name(f"{theirs.name}.gz").exists():
                    theirs.write_bytes(JS)
                    written.append(theirs.stat().st_ino)

        return answer

    for look in ("exists", "size"):
        monkeypatch.setattr(FileSystemStorage, look, late(getattr(FileSystemStorage, look)))
    assets.assets_publish(environment)
    assert [theirs.stat().st_ino] == written
    assert len(list(store.iterdir())) == 2 * (2 + PAGES)


def test_environment_without_assets_publishes_only_page_assets(tmp_path, store):
    assert assets.assets_publish(tmp_path / "none") == PAGES
    for path in (path for folder in (PAGE_ASSETS_DIR, STATIC_DIR) for path in folder.iterdir()):
        assert (store / name_of(path.read_bytes(), path.suffix[1:])).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(("content", "kind", "mime"), [(JS, "js", "text/javascript"), (CSS, "css", "text/css")])
def test_assets_are_public_and_cached_forever(environment, content, kind, mime):
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


def test_browser_gets_asset_compressed_and_304_the_second_time(environment):
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


def test_only_get_and_head_are_allowed(environment):
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
def test_invalid_asset_names_return_404(environment, path):
    assets.assets_publish(environment)
    default_storage.save(f"renders/{'0' * 64}.js", ContentFile(b"secret"))
    assert get(f"/assets/{path}").status_code == 404


def test_asset_is_streamed(environment):
    assets.assets_publish(environment)
    status, pieces = fetch(OneThreadHandler(), f"/assets/{name_of(JS, 'js')}")
    assert (status, b"".join(pieces)) == (200, JS)
