"""Artifact bytes straight from their stores: S3, MinIO, files, https; with credentials that nobody sees."""

from __future__ import annotations

import io
import json
import os
import ssl
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import pytest
import trustme
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from moto.server import ThreadedMotoServer

from apps.runs import exceptions
from apps.runs.gateway.objects import Part, address, stores

BODY = bytes(range(256)) * 40
SECRET = "5ecret-5ecret"


@pytest.fixture(scope="module")
def s3():
    """A real S3 API with a bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key=SECRET, region_name="us-east-1"
    )
    client.create_bucket(Bucket="mlpipeline")
    for key, body in {"one/data.bin": BODY, "folder/a.csv": b"a,b\n1,2\n", "folder/deep/b.txt": b"text"}.items():
        client.put_object(Bucket="mlpipeline", Key=key, Body=body)
    yield url
    server.stop()


@pytest.fixture
def configure(settings):
    """Sets VIZPORTAL_OBJECT_STORES."""

    def write(*listed):
        settings.VIZPORTAL_OBJECT_STORES = json.dumps(listed)

    return write


@pytest.fixture(params=["minio", "s3"])
def cloud(request, s3, configure):
    """The scheme of a store that is set up."""
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


def test_an_object_is_read_whole_in_part_and_peeked_at(gateway, kubeflow, cloud):
    uri = f"{cloud}://mlpipeline/one/data.bin"
    assert whole(gateway, uri) == BODY
    assert whole(gateway, uri, part=Part(start=250, length=10)) == BODY[250:260]
    assert whole(gateway, uri, part=Part(start=len(BODY) - 3)) == BODY[-3:]
    assert whole(gateway, uri, peek=7) == BODY[:7]
    with gateway.open_artifact(uri) as stream:
        assert (stream.size_bytes, stream.is_directory, stream.accepts_ranges) == (len(BODY), False, True)
    assert not [path for _, path in kubeflow.requests if path == "/artifacts/get"]


def test_a_folder_is_listed_and_comes_as_a_tar(gateway, cloud):
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
def test_what_is_not_there_is_not_found(gateway, cloud, key):
    with pytest.raises(exceptions.NotFoundError, match=key):
        whole(gateway, f"{cloud}://mlpipeline/{key}")


def test_a_store_that_is_away_is_said_so_without_its_secret(gateway, configure, caplog):
    configure(
        {"prefix": "s3://away/", "endpoint_url": "http://127.0.0.1:9", "key": "k", "secret": SECRET, "region": "x"}
    )
    with pytest.raises(exceptions.EndpointDownError) as caught:
        whole(gateway, "s3://away/x")
    assert "s3://away" in str(caught.value)
    assert SECRET not in str(caught.value) + caplog.text + repr(stores.stores())


def test_the_longest_prefix_counts_and_what_none_fits_goes_to_the_endpoint(gateway, kubeflow, configure, s3, tmp_path):
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
    """A directory with files, a way out, and a pipe."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "x.txt").write_bytes(b"0123456789")
    (tmp_path / "in" / "deep" / "y.txt").write_bytes(b"y")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "in" / "out").symlink_to(tmp_path / "secret")
    (tmp_path / "in" / "outdir").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "in" / "pipe")
    configure({"prefix": "file:///artifacts", "root": str(tmp_path / "in")})
    return tmp_path / "in"


def test_files_below_the_root_are_read_and_listed(gateway, root):
    assert whole(gateway, "file:///artifacts/x.txt") == b"0123456789"
    assert whole(gateway, "file:///artifacts/x.txt", part=Part(start=2, length=3)) == b"234"
    assert {entry.path for entry in gateway.list_artifact("file:///artifacts").entries} == {"x.txt", "deep/y.txt"}


@pytest.mark.parametrize("name", ["out", "outdir/secret", "pipe", "x.txt/deeper", "gone"])
def test_no_link_pipe_or_missing_file_is_opened(gateway, root, name):
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
def test_no_spelling_leads_out(gateway, kubeflow, root, uri):
    with pytest.raises(exceptions.RunsError):
        whole(gateway, uri)
    assert not [path for _, path in kubeflow.requests if path == "/artifacts/get"]


@contextmanager
def tls_server(tmp_path):
    """Serves /data.bin over TLS at localhost, /away redirects elsewhere, /back to /data.bin."""
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


def test_https_is_read_checked_and_never_led_away(gateway, configure, tmp_path):
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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'[{{"prefix": "{SECRET}', "not JSON"),
        ("{}", "list of objects"),
        ('[{"prefix": "ftp://x/"}]', "must begin with"),
        ('[{"prefix": "s3:///x"}]', "a bucket"),
        ('[{"prefix": "s3://x/", "colour": "red"}]', "unknown 'colour'"),
        ('[{"prefix": "s3://x/", "is_anonymous": "yes"}]', "true or false"),
        ('[{"prefix": "s3://x/", "secret_file": "/no/such"}]', "cannot read"),
        ('[{"prefix": "file:///x"}]', "'root'"),
    ],
)
def test_a_wrong_setting_is_told_without_what_is_in_it(settings, text, words):
    settings.VIZPORTAL_OBJECT_STORES = text
    with pytest.raises(ImproperlyConfigured, match=words) as caught:
        stores.stores()
    assert SECRET not in str(caught.value)
    with pytest.raises(SystemCheckError):
        call_command("check")


def test_the_portal_s_own_data_is_no_artifact(settings):
    settings.VIZPORTAL_OBJECT_STORES = json.dumps(
        [{"prefix": "file:///", "root": str(settings.VIZPORTAL_DATA_DIR.parent)}]
    )
    with pytest.raises(ImproperlyConfigured, match="own data directory"):
        stores.stores()


def test_addresses_are_compared_by_whole_parts():
    parse = address.parse
    assert parse("s3://b/one/x").is_below(parse("s3://b/one"))
    assert not parse("s3://b/ones/x").is_below(parse("s3://b/one"))
    assert not parse("s3://bb/one/x").is_below(parse("s3://b/"))
    assert not parse("minio://b/one/x").is_below(parse("s3://b/"))


def test_a_download_gives_a_part_where_the_store_can(client, kubeflow, s3, configure):
    configure(
        {"prefix": "minio://mlpipeline/", "endpoint_url": s3, "key": "k", "secret": SECRET, "region": "us-east-1"}
    )
    kubeflow.add_artifact(90, 4, "bin", "system.Artifact", "minio://mlpipeline/one/data.bin")
    url = "/runs/r1/steps/evaluate/artifacts/90/download"
    part = client.get(url, headers={"Range": "bytes=5-9"})
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == BODY[5:10]
    assert (part["Content-Range"], part["Content-Length"]) == (f"bytes 5-9/{len(BODY)}", "5")
    rest = client.get(url, headers={"Range": f"bytes={len(BODY) - 2}-"})
    assert b"".join(rest.streaming_content) == BODY[-2:]
    assert client.get(url, headers={"Range": f"bytes={len(BODY)}-"}).status_code == 416
    for ignored in ("bytes=9-5", "bytes=0-1,4-5", "bytes=-5", "lines=1-2"):
        whole_answer = client.get(url, headers={"Range": ignored})
        assert (whole_answer.status_code, whole_answer["Accept-Ranges"]) == (200, "bytes")
    head = client.head(url)
    assert (head.status_code, head["Content-Length"], list(head.streaming_content)) == (200, str(len(BODY)), [])


def test_without_a_store_the_endpoint_s_bytes_come_whole(client, kubeflow):
    url = "/runs/r1/steps/read-data/artifacts/1/download"
    answer = client.get(url, headers={"Range": "bytes=0-3"})
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content).startswith(b"total_bill")


@pytest.mark.parametrize("is_direct", [True, False])
def test_a_folder_s_files_are_listed_opened_and_saved(client, kubeflow, s3, configure, is_direct):
    if is_direct:
        configure(
            {"prefix": "minio://mlpipeline/", "endpoint_url": s3, "key": "k", "secret": SECRET, "region": "us-east-1"}
        )
    else:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, body in {"a.csv": b"a,b\n1,2\n", "deep/b.txt": b"text"}.items():
                member = tarfile.TarInfo(name)
                member.size = len(body)
                archive.addfile(member, io.BytesIO(body))
        kubeflow.objects |= {
            "mlpipeline/folder": packed.getvalue(),
            "mlpipeline/folder/a.csv": b"a,b\n1,2\n",
            "mlpipeline/folder/deep/b.txt": b"text",
        }
    kubeflow.add_artifact(91, 4, "dir", "system.Artifact", "minio://mlpipeline/folder")
    base = "/runs/r1/steps/evaluate/artifacts/91/"
    page = client.get(f"{base}files").content.decode()
    assert f"{base}preview?path=deep/b.txt" in page
    assert "a.csv" in page
    assert "<td>2</td>" in client.get(f"{base}preview?path=a.csv").content.decode()
    saved = client.get(f"{base}download?path=deep/b.txt")
    assert b"".join(saved.streaming_content) == b"text"
    assert "b.txt" in saved["Content-Disposition"]
    for path in ("../x", "a/../../x", "/etc/passwd", "a//b", "x\\y", "%2e%2e/x"):
        assert client.get(f"{base}download", {"path": path}).status_code in {404, 502}, path


def test_what_the_endpoint_unpacked_is_not_named_as_if_it_were_packed(client, kubeflow):
    kubeflow.objects["mlpipeline/one.tgz"] = b"hello"
    kubeflow.add_artifact(92, 4, "one", "system.Artifact", "minio://mlpipeline/one.tgz")
    saved = client.get("/runs/r1/steps/evaluate/artifacts/92/download")
    assert b"".join(saved.streaming_content) == b"hello"
    assert 'filename="one"' in saved["Content-Disposition"]
