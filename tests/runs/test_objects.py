"""Read artifact bytes directly from S3, MinIO, files and https, without revealing credentials."""

from __future__ import annotations

import io
import os
import ssl
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme

from apps.runs import exceptions
from apps.runs.gateway.objects import Part, stores
from tests.runs.s3 import BODY, SECRET


@pytest.fixture(params=["minio", "s3"])
def cloud(request, s3, configure):
    """Configures a store and returns its scheme."""
    configure(
        {
            "prefix": f"{request.param}://mlpipeline/",
            "endpoint_url": s3,
            "key": "k",
            "secret": SECRET,
            "region": "us-east-1",
        }
    )
    return request.param


def whole(gateway, uri, **more):
    with gateway.open_artifact(uri, **more) as stream:
        return b"".join(stream.chunks)


def test_object_can_be_read_fully_in_ranges_and_peeked(gateway, kubeflow, cloud):
    uri = f"{cloud}://mlpipeline/one/data.bin"
    assert whole(gateway, uri) == BODY
    assert whole(gateway, uri, part=Part(start=250, length=10)) == BODY[250:260]
    assert whole(gateway, uri, part=Part(start=len(BODY) - 3)) == BODY[-3:]
    assert whole(gateway, uri, peek=7) == BODY[:7]
    with gateway.open_artifact(uri) as stream:
        assert (stream.size_bytes, stream.is_directory, stream.accepts_ranges) == (len(BODY), False, True)
    assert not [path for _, path in kubeflow.requests if path == "/artifacts/get"]


def test_folder_is_listed_and_downloaded_as_tar(gateway, cloud):
    uri = f"{cloud}://mlpipeline/folder"
    listing = gateway.list_artifact(uri)
    assert [(entry.path, entry.size_bytes) for entry in listing.entries] == [("a.csv", 8), ("deep/b.txt", 4)]
    assert all(entry.modified_at for entry in listing.entries)
    with tarfile.open(fileobj=io.BytesIO(whole(gateway, uri)), mode="r:gz") as archive:
        assert {member.name: archive.extractfile(member).read() for member in archive} == {
            "a.csv": b"a,b\n1,2\n",
            "deep/b.txt": b"text",
        }


@pytest.mark.parametrize("key", ["one/nothing", "nothing"])
def test_missing_object_is_not_found(gateway, cloud, key):
    with pytest.raises(exceptions.NotFoundError, match=key):
        whole(gateway, f"{cloud}://mlpipeline/{key}")


def test_unreachable_store_error_contains_no_secret(gateway, configure, caplog):
    configure(
        {"prefix": "s3://away/", "endpoint_url": "http://127.0.0.1:9", "key": "k", "secret": SECRET, "region": "x"}
    )
    with pytest.raises(exceptions.EndpointDownError) as caught:
        whole(gateway, "s3://away/x")
    assert "s3://away" in str(caught.value)
    assert SECRET not in str(caught.value) + caplog.text + repr(stores.stores())


def test_longest_prefix_wins_and_other_uris_go_to_the_endpoint(gateway, kubeflow, configure, s3, tmp_path):
    (tmp_path / "x.txt").write_text("local")
    configure(
        {"prefix": "s3://mlpipeline/", "endpoint_url": "http://127.0.0.1:9", "key": "k", "secret": "x"},
        {"prefix": "s3://mlpipeline/one", "endpoint_url": s3, "key": "k", "secret": SECRET, "region": "us-east-1"},
    )
    assert whole(gateway, "s3://mlpipeline/one/data.bin") == BODY
    with pytest.raises(exceptions.EndpointDownError):
        whole(gateway, "s3://mlpipeline/ones/data.bin")
    kubeflow.objects["mlpipelines/one/data.bin"] = b"theirs"
    assert whole(gateway, "s3://mlpipelines/one/data.bin") == b"theirs"


@pytest.fixture
def root(tmp_path, configure):
    """Makes a directory with files, links that lead outside, and a pipe."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "x.txt").write_bytes(b"0123456789")
    (tmp_path / "in" / "deep" / "y.txt").write_bytes(b"y")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "in" / "out").symlink_to(tmp_path / "secret")
    (tmp_path / "in" / "outdir").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "in" / "pipe")
    configure({"prefix": "file:///artifacts", "root": str(tmp_path / "in")})
    return tmp_path / "in"


def test_files_below_the_root_can_be_read_and_listed(gateway, root):
    (root / "x#1 %2.txt").write_bytes(b"hash")
    assert whole(gateway, "file:///artifacts/x#1 %2.txt") == b"hash"
    (root / "x#1 %2.txt").unlink()
    assert whole(gateway, "file:///artifacts/x.txt") == b"0123456789"
    assert whole(gateway, "file:///artifacts/x.txt", part=Part(start=2, length=3)) == b"234"
    assert {entry.path for entry in gateway.list_artifact("file:///artifacts").entries} == {"x.txt", "deep/y.txt"}


def test_file_that_shrinks_while_its_folder_is_packed_is_an_error(gateway, root):
    (root / "a.bin").write_bytes(os.urandom(1_000_000))
    (root / "b.txt").write_bytes(b"0123456789")
    with gateway.open_artifact("file:///artifacts") as stream:
        next(stream.chunks)
        (root / "b.txt").write_bytes(b"")
        with pytest.raises(exceptions.EndpointDownError, match="failed"):
            b"".join(stream.chunks)


@pytest.mark.parametrize("name", ["out", "outdir/secret", "pipe", "x.txt/deeper", "gone"])
def test_links_pipes_and_missing_files_are_not_opened(gateway, root, name):
    with pytest.raises(exceptions.NotFoundError):
        whole(gateway, f"file:///artifacts/{name}")


@pytest.mark.parametrize(
    "uri",
    [
        "file:///artifacts/../secret", "file:///artifacts/%2e%2e/secret", "file:///artifacts/..%252f../secret",
        "file:///artifacts/x\x00.txt", "file:///artifacts/a\r\nb", "file:///artifacts/..\\secret",
        "s3://user@mlpipeline/x", "file:///etc/passwd", "file:///artifactsandmore/x", "https://[broken/x",
    ],
)  # fmt: skip
def test_path_traversal_is_refused(gateway, kubeflow, root, uri):
    with pytest.raises(exceptions.RunsError):
        whole(gateway, uri)
    assert not [path for _, path in kubeflow.requests if path == "/artifacts/get"]


@contextmanager
def tls_server(tmp_path):
    """Serves /data.bin over TLS at localhost. /away redirects to another host, and /back to /data.bin."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            to = {"/away": "https://example.com/x", "/back": "/data.bin", "/round": "/round"}.get(self.path)
            if to:
                self.send_response(302)
                self.send_header("Location", to)
                self.end_headers()
                return
            self.send_response(200 if self.path == "/data.bin" else 404)
            self.send_header("Content-Length", str(len(BODY) if self.path == "/data.bin" else 0))
            self.end_headers()
            if self.command == "GET" and self.path == "/data.bin":
                self.wfile.write(BODY)

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_https_is_verified_and_follows_no_redirect_to_other_hosts(gateway, configure, tmp_path):
    with tls_server(tmp_path) as url:
        allowed = {"prefix": f"{url}/", "allow_private": True, "ca_file": str(tmp_path / "ca.pem")}
        configure(allowed)
        assert whole(gateway, f"{url}/data.bin") == BODY
        assert whole(gateway, f"{url}/back") == BODY
        with pytest.raises(exceptions.ForbiddenError, match=r"example\.com"):
            whole(gateway, f"{url}/away")
        with pytest.raises(exceptions.EndpointError, match="redirects more than"):
            whole(gateway, f"{url}/round")
        with pytest.raises(exceptions.NotFoundError):
            whole(gateway, f"{url}/nothing")
        configure({**allowed, "ca_file": ""})
        with pytest.raises(exceptions.EndpointDownError, match="TLS"):
            whole(gateway, f"{url}/data.bin")
        configure({**allowed, "allow_private": False})
        with pytest.raises(exceptions.ForbiddenError, match="inside this network"):
            whole(gateway, f"{url}/data.bin")
