"""Results in object stores: real S3, Google and Azure servers, through the same code as files on disk."""

import hashlib
import socket
import tracemalloc
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.utils import timezone

from apps import stores
from apps.stores.streamed import StoreAwayError
from apps.visualizations.models import Render
from apps.visualizations.services import pruning, results
from tests.stores import servers

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def _options(scheme, facts):
    if scheme == "s3":
        return {"endpoint_url": facts["endpoint_url"], "access_key": "k", "secret_key": "s", "region_name": "us-east-1"}
    if scheme == "gs":
        return {"custom_endpoint": facts["endpoint_url"], "is_anonymous": True}
    return {"connection_string": facts["connection_string"]}


@pytest.fixture(scope="module", params=["s3", "gs", "azure"])
def server(request):
    with servers.STORES["abfs" if request.param == "azure" else request.param]() as facts:
        yield request.param, _options(request.param, facts)


@pytest.fixture
def store(server, settings, request):
    """An empty prefix of the store, configured as the portal's storage."""
    scheme, options = server
    part = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:8]
    entry = stores.read_store(f"{scheme}://{servers.BUCKET}/portal/{part}", options, None)
    settings.STORAGES = {**settings.STORAGES, "default": entry}
    return default_storage


def test_file_is_read_back_unchanged(store):
    content = b"<p>\xc3\xa4</p>" * 500_000
    name = store.save("renders/ab/x/1-result.html", ContentFile(content))
    with store.open(name) as file:
        assert (file.size, file.read(3)) == (len(content), b"<p>")
    with store.open(name) as file:
        assert hashlib.sha256(b"".join(file.chunks(100_000))).digest() == hashlib.sha256(content).digest()
    assert store.size(name) == len(content)
    assert timezone.now() - store.get_modified_time(name) < timedelta(minutes=1)


def test_existing_file_is_not_overwritten(store):
    first = store.save("renders/ab/x/1-result.html", ContentFile(b"first"))
    second = store.save("renders/ab/x/1-result.html", ContentFile(b"second"))
    assert first != second
    assert (store.open(first).read(), store.open(second).read()) == (b"first", b"second")


def test_folders_are_listed_and_deleted_files_are_gone(store):
    for name in ("renders/ab/x/1.html", "renders/ab/x/1.ipynb", "renders/cd/y/1.html"):
        store.save(name, ContentFile(b"x"))
    assert sorted(results.files_list("renders")[0]) == ["ab", "cd"]
    assert sorted(results.files_list("renders/ab/x")[1]) == ["1.html", "1.ipynb"]
    assert results.files_list("renders/none") == ([], [])
    store.delete("renders/cd/y/1.html")
    store.delete("renders/cd/y/1.html")
    assert not store.exists("renders/cd/y/1.html")
    with pytest.raises(FileNotFoundError):
        store.open("renders/cd/y/1.html")


def test_large_result_is_not_loaded_into_memory(store):
    name = store.save("renders/ab/x/1-large.html", ContentFile(b"x" * 40_000_000))
    tracemalloc.start()
    try:
        with store.open(name) as file:
            assert sum(map(len, file.chunks(262_144))) == 40_000_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16_000_000


def test_render_is_saved_shown_and_pruned(store, submit, work, client, owner, row):
    made = submit()
    work()
    render = row(made.render)
    assert render.state == "succeeded"
    client.force_login(owner)
    shown = client.get(f"/renders/{render.id}/content", headers={"sec-fetch-dest": "iframe"})
    assert (b"".join(shown.streaming_content), shown["Content-Length"]) == (b"<p>picture</p>", "14")
    download = client.get(f"/renders/{render.id}/download.ipynb")
    assert b"".join(download.streaming_content) == b'{"cells": []}'
    store.save(f"{results.render_folder(render)}/9-orphan.html", ContentFile(b"x"))
    later = timezone.now() + timedelta(minutes=1)
    found = pruning.prune(retention=pruning.Retention(), files_before=later, is_dry_run=False)
    assert [name.rpartition("/")[2] for name in found.files] == ["9-orphan.html"]
    results.render_files_delete(render)
    assert results.files_list(results.render_folder(render))[1] == []


@pytest.fixture
def dead_store(settings):
    """An S3 store on a port that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        options = {
            "endpoint_url": f"http://127.0.0.1:{probe.getsockname()[1]}",
            "access_key": "k",
            "secret_key": "s",
            "region_name": "us-east-1",
        }
        entry = stores.read_store("s3://nowhere/x", options, None)
        settings.STORAGES = {**settings.STORAGES, "default": entry}
        yield default_storage


def test_unreachable_store_fails_the_render_with_its_reason(dead_store, submit, work, row, monkeypatch):
    monkeypatch.setattr(results, "PATIENCE_S", 0)
    made = submit()
    work()
    render = row(made.render)
    assert (render.state, render.reason) == ("failed", "store_failed")
    assert "store of results did not answer" in render.message


def test_unreachable_store_is_reported_on_page_and_in_readyz(dead_store, submit, client, owner):
    made = submit()
    Render.objects.filter(id=made.render.id).update(state="succeeded", html="renders/ab/x/1-result.html")
    client.force_login(owner)
    client.raise_request_exception = False
    response = client.get(f"/renders/{made.render.id}/content", headers={"sec-fetch-dest": "iframe"})
    assert response.status_code == 503
    assert "The store of results does not answer" in response.content.decode()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["results"]["ok"]) == (200, False)


def test_saving_is_retried_until_the_store_answers(server, settings, submit, work, row, monkeypatch):
    """The store answers at the third try, and the render succeeds."""
    scheme, options = server
    entry = stores.read_store(f"{scheme}://{servers.BUCKET}/portal/moment", options, None)
    settings.STORAGES = {**settings.STORAGES, "default": entry}
    assert not default_storage.exists("x")
    tries = []
    store = type(storages["default"])
    whole = store._save  # noqa: SLF001 (the method that Django's storages override)

    def shaky(self, name, content):
        tries.append(name)
        if len(tries) < 3:
            raise StoreAwayError("away")
        return whole(self, name, content)

    monkeypatch.setattr(store, "_save", shaky)
    made = submit()
    work()
    assert row(made.render).state == "succeeded"


@pytest.mark.parametrize("url", ["ftp://x/y", "s3:///x", "s3://user:secret@bucket/x", "bucket"])
def test_invalid_store_address_is_refused_without_its_password(url):
    with pytest.raises(ImproperlyConfigured, match="VIZPORTAL_RESULTS_URL must be") as refusal:
        stores.read_store(url, {}, None)
    assert (urlsplit(url).password or "none") not in str(refusal.value)
