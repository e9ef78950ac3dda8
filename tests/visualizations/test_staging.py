"""Staging of local folders and patterns, https sources, and the cache of fetched sources."""

import os
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import trustme

from apps.runs import exceptions
from apps.runs.gateway import Entry, parse_address
from apps.runs.gateway.objects import Facts
from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources import Download, SourceCache, SourceSpec, objects_fetch, source_stage
from apps.visualizations.sources import objects as objects_module


@pytest.fixture
def download(tmp_path):
    directory = tmp_path / "input"
    directory.mkdir()
    return Download(directory=directory, max_bytes=10_000)


@pytest.fixture
def cache(tmp_path):
    return SourceCache(tmp_path / "cache", 1000)


def stage(uri, download, cache, *, allowed, gateway=None, **more):
    wanted = SourceSpec(uri=uri, **more)
    return source_stage(wanted, download, gateway=lambda: gateway, cache=cache, allowed=allowed)


def files_in(directory):
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path):
    """stats/{train,eval}/a.pb, stats/eval/b.txt, a link that leads outside, and a link to stats itself."""
    root = tmp_path / "allowed"
    for split in ("train", "eval"):
        (root / "stats" / split).mkdir(parents=True)
        (root / "stats" / split / "a.pb").write_text(split)
    (root / "stats" / "eval" / "b.txt").write_text("b")
    (tmp_path / "secret").write_text("secret")
    (root / "stats" / "out").symlink_to(tmp_path / "secret")
    (root / "stats" / "round").symlink_to(root / "stats")
    return root


def test_local_folder_is_staged_without_following_links(folder, download, cache):
    got = stage(f"{folder}/stats", download, cache, allowed=[str(folder)])
    assert got.source == str(download.directory)
    assert files_in(download.directory) == {"train/a.pb": b"train", "eval/a.pb": b"eval", "eval/b.txt": b"b"}


def test_pattern_may_be_in_the_middle(folder, download, cache):
    got = stage(f"{folder}/stats/*/a.pb", download, cache, allowed=[str(folder)])
    assert files_in(download.directory) == {"train/a.pb": b"train", "eval/a.pb": b"eval"}
    assert got.source == str(download.directory / "*" / "*")


@pytest.mark.parametrize("pattern", ["stats/*/c.pb", "stats/*/*/*.pb", "*"])
def test_pattern_without_match_is_missing(folder, download, cache, pattern):
    with pytest.raises(SourceError) as caught:
        stage(f"{folder}/{pattern}", download, cache, allowed=[str(folder)])
    assert caught.value.code == "source_missing"


def test_folder_with_too_many_entries_is_refused(folder, download, cache):
    # Links count too, although none is followed.
    for number in range(10_001):
        (folder / "stats" / f"link{number}").symlink_to("nowhere")
    with pytest.raises(SourceError, match="more than 10,000 entries") as caught:
        stage(f"{folder}/stats", download, cache, allowed=[str(folder)])
    assert caught.value.code == "source_too_big"


def test_pattern_reads_only_matching_folders(folder, download, cache):
    (folder / "others").mkdir()
    for number in range(10_001):
        (folder / "others" / f"{number}").touch()
    stage(f"{folder}/stat*/train/a.pb", download, cache, allowed=[str(folder)])
    assert files_in(download.directory) == {"stats/train/a.pb": b"train"}


def test_local_file_is_not_cached(folder, download, cache):
    stage(f"{folder}/stats/train/a.pb", download, cache, allowed=[str(folder)])
    assert not cache.root.exists()


def test_pipe_is_refused_without_waiting(folder, download, cache):
    os.mkfifo(folder / "pipe")
    with pytest.raises(SourceError, match="not a regular file") as caught:
        stage(f"{folder}/pipe", download, cache, allowed=[str(folder)])
    assert caught.value.code == "source_refused"


def test_metadata_is_staged_as_a_json_file(download, cache):
    got = stage("", download, cache, allowed=[], metadata={"confusionMatrix": {"rows": []}}, name="my metrics")
    assert got.source == str(download.directory / "my_metrics.json")
    assert files_in(download.directory) == {"my_metrics.json": b'{"confusionMatrix": {"rows": []}}'}


class Reader:
    """A store whose objects can change, and which records every read."""

    def __init__(self, objects, *, changes=False):
        self.objects, self.changes, self.reads = objects, changes, []

    def facts(self, address):
        uri = str(address)
        if uri not in self.objects:
            return None
        return Facts(size_bytes=len(self.objects[uri]), version=f"{len(self.reads) * self.changes} {self.objects[uri]}")

    def walk(self, address, _enters):
        for key, body in self.objects.items():
            yield Entry(path=key.removeprefix(f"{address}/"), size_bytes=len(body), version=self.facts(key).version)

    def read(self, address):
        self.reads.append(str(address))
        yield self.objects[str(address)]


def bring(reader, uri, download, cache, **more):
    return objects_fetch(reader, parse_address(uri), download, cache, **more)


def fresh(tmp_path):
    directory = tmp_path / f"input-{time.monotonic_ns()}"
    directory.mkdir()
    return Download(directory=directory, max_bytes=10_000)


def test_object_is_read_again_only_after_it_changed(tmp_path, cache):
    reader = Reader({"s3://b/x": b"one"})
    first = bring(reader, "s3://b/x", fresh(tmp_path), cache)
    assert bring(reader, "s3://b/x", fresh(tmp_path), cache).digest == first.digest
    assert len(reader.reads) == 1
    reader.objects["s3://b/x"] = b"two"
    assert bring(reader, "s3://b/x", fresh(tmp_path), cache).digest != first.digest
    assert len(reader.reads) == 2


def test_object_that_changes_while_read_is_refused_and_not_cached(tmp_path, cache):
    reader = Reader({"s3://b/x": b"one"}, changes=True)
    with pytest.raises(SourceError) as caught:
        bring(reader, "s3://b/x", fresh(tmp_path), cache)
    assert caught.value.code == "source_changed"
    assert not (cache.root / "blobs").exists()


def test_cache_evicts_least_recently_used(tmp_path, cache):
    reader = Reader({f"s3://b/{number}": bytes([number]) * 300 for number in range(4)})
    for number in (0, 1, 2, 0, 3):
        bring(reader, f"s3://b/{number}", fresh(tmp_path), cache)
    kept = [path.read_bytes()[0] for path in (cache.root / "blobs").iterdir()]
    assert sum(path.stat().st_size for path in (cache.root / "blobs").iterdir()) <= cache.max_bytes
    assert {0, 3} <= set(kept)
    assert 1 not in kept
    assert len(list((cache.root / "marks").iterdir())) == len(kept)
    reader.reads.clear()
    for number in (0, 1):
        bring(reader, f"s3://b/{number}", fresh(tmp_path), cache)
    assert reader.reads == ["s3://b/1"]


def test_zero_size_cache_stores_nothing_and_damaged_marks_are_ignored(tmp_path, cache):
    reader = Reader({"s3://b/x": b"one"})
    none = SourceCache(tmp_path / "none", 0)
    bring(reader, "s3://b/x", fresh(tmp_path), none)
    assert not none.root.exists()
    bring(reader, "s3://b/x", fresh(tmp_path), cache)
    for mark in (cache.root / "marks").iterdir():
        mark.write_text("{nonsense")
    got = bring(reader, "s3://b/x", fresh(tmp_path), cache)
    assert got.size_bytes == 3


def test_too_many_matches_stop_at_the_limit(tmp_path, cache, monkeypatch):
    many = Reader({f"s3://b/f/{number}": b"" for number in range(100_000)})
    with pytest.raises(SourceError) as caught:
        bring(many, "s3://b/f", fresh(tmp_path), cache, pattern=("*",))
    assert caught.value.code == "source_too_big"
    assert len(many.reads) <= 200
    monkeypatch.setattr(objects_module, "MAX_ENTRIES", 50)
    with pytest.raises(SourceError, match="more than 50 entries"):
        bring(many, "s3://b/f", fresh(tmp_path), cache, pattern=("none",))


def test_names_that_collide_after_sanitizing_are_refused(tmp_path, cache):
    for names in (["s3://b/f/a b", "s3://b/f/a?b"], ["s3://b/f/a", "s3://b/f/a/b"]):
        with pytest.raises(SourceError) as caught:
            bring(Reader(dict.fromkeys(names, b"")), "s3://b/f", fresh(tmp_path), cache)
        assert caught.value.code == "source_refused"


@contextmanager
def https_server(tmp_path, path):
    """Serves "a b.csv", and "slow" a byte at a time for longer than a test may take; records requests."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(path))
    asked, ending = [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_HEAD(self):
            self.answer()

        def do_GET(self):
            self.answer()

        def answer(self):
            asked.append((self.command, self.path))
            is_slow = self.path == "/files/slow"
            self.send_response(200 if is_slow or self.path == "/files/a%20b.csv" else 404)
            self.send_header("Content-Length", "10000" if is_slow else "4")
            self.send_header("ETag", '"1"')
            self.end_headers()
            if self.command == "GET" and not is_slow:
                self.wfile.write(b"x\n1\n")
            while self.command == "GET" and is_slow and not ending.wait(0.05):
                self.wfile.write(b"x")
                self.wfile.flush()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield SimpleNamespace(url=f"https://localhost:{server.server_port}", asked=asked)
    finally:
        ending.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_https_source_needs_allowed_prefix_and_store_for_private_host(download, cache, settings, tmp_path):
    import json

    with https_server(tmp_path, tmp_path / "ca.pem") as site:
        allowed = [f"{site.url}/files"]
        # Without a configured store, only public addresses are requested.
        with pytest.raises(SourceError, match="inside this network") as caught:
            stage(f"{site.url}/files/a%20b.csv", download, cache, allowed=allowed)
        assert caught.value.code == "source_refused"
        assert site.asked == []
        config = {"prefix": f"{site.url}/", "allow_private": True, "ca_file": str(tmp_path / "ca.pem")}
        settings.VIZPORTAL_OBJECT_STORES = json.dumps([config])
        stage(f"{site.url}/files/a%20b.csv", download, cache, allowed=allowed)
        assert files_in(download.directory) == {"a_20b.csv": b"x\n1\n"}
        for refused in (f"{site.url}/other/x", f"{site.url}/files/../other", "https://localhost.evil/files/x"):
            with pytest.raises(SourceError) as caught:
                stage(refused, download, cache, allowed=allowed)
            assert caught.value.code == "source_refused"
        # A name that ends in .invalid never exists (RFC 6761).
        with pytest.raises(SourceError, match=r"no-such-host\.invalid") as caught:
            stage("https://no-such-host.invalid/x.csv", download, cache, allowed=["https://no-such-host.invalid/"])
        assert caught.value.code in {"source_missing", "source_unreachable"}
        slow = fresh(tmp_path)
        slow.max_seconds = 1
        with pytest.raises(SourceError) as caught:
            stage(f"{site.url}/files/slow", slow, cache, allowed=allowed)
        assert caught.value.code == "source_timeout"


def test_endpoint_errors_become_source_errors(download, cache):
    def gateway_that(error):
        @contextmanager
        def open_artifact(uri, *, namespace=""):
            raise error
            yield

        return SimpleNamespace(open_artifact=open_artifact, endpoint=SimpleNamespace(namespace=""))

    for error, code in (
        (exceptions.EndpointDownError("down"), "endpoint_down"),
        (exceptions.ForbiddenError("no"), "source_refused"),
        (exceptions.NotFoundError("gone"), "source_missing"),
    ):
        with pytest.raises(SourceError) as caught:
            stage("s3://b/x", download, cache, allowed=["s3://b"], gateway=gateway_that(error))
        assert caught.value.code == code
