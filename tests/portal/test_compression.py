"""Which responses are compressed and which stay unchanged."""

from __future__ import annotations

import gzip

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from vizportal.compression import CompressionMiddleware

TEXT = b"<p>the same words</p>" * 200
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def answered(response, **headers):
    """Returns a view's response after the middleware."""
    request = RequestFactory().get("/", headers=GZIP | {name.replace("_", "-"): text for name, text in headers.items()})
    return CompressionMiddleware(lambda _request: response)(request)


@pytest.fixture
def client(db):
    browser = Client(headers=GZIP)
    browser.force_login(get_user_model().objects.create_user("ada"))
    return browser


@pytest.mark.parametrize("path", ["/design/", "/visualizations/", "/api/v1/types"])
def test_pages_and_json_are_compressed(client, path):
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    packed = client.get(path)
    assert plain.status_code == packed.status_code == 200
    assert not plain.has_header("Content-Encoding")
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert "Accept-Encoding" in plain["Vary"]
    assert int(packed["Content-Length"]) == len(packed.content) < 0.45 * len(plain.content)
    assert gzip.decompress(packed.content)[:60] == plain.content[:60]


def test_length_and_csrf_token_differ_in_each_response(client):
    pages = [client.get("/visualizations/") for _ in range(8)]
    assert len({len(page.content) for page in pages}) > 1
    texts = [gzip.decompress(page.content).decode() for page in pages]
    assert len({text.partition('name="csrfmiddlewaretoken" value="')[2][:64] for text in texts}) == 8


@pytest.mark.parametrize(
    "kind", ["text/css", "text/javascript", "image/svg+xml", "application/json", "text/html; charset=utf-8"]
)
def test_text_types_are_compressed(kind):
    response = answered(HttpResponse(TEXT, content_type=kind, headers={"ETag": '"a"'}))
    assert gzip.decompress(response.content) == TEXT
    # The bytes differ, but the content is the same (RFC 9110, section 8.8.1).
    assert response["ETag"] == 'W/"a"'


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("text/event-stream", {}),
        ("image/png", {}),
        ("application/pdf", {}),
        ("text/html", {"Content-Encoding": "br"}),
        ("text/plain", {"Accept-Ranges": "bytes"}),
        ("text/plain", {"Content-Range": "bytes 0-4199/9000"}),
        ("text/plain", {"Cache-Control": "no-transform"}),
    ],
)
def test_other_responses_are_unchanged(kind, headers):
    response = answered(HttpResponse(TEXT, content_type=kind, headers={"ETag": '"a"', **headers}))
    assert response.content == TEXT
    assert response["ETag"] == '"a"'
    assert response.get("Content-Encoding", "") == headers.get("Content-Encoding", "")


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "br, gzip; q=0.0, *"])
def test_client_that_does_not_accept_gzip_gets_plain_text(accepted):
    assert answered(HttpResponse(TEXT), Accept_Encoding=accepted).content == TEXT


def stream(**headers):
    return StreamingHttpResponse(iter([TEXT[:2000], TEXT[2000:]]), content_type="text/html", headers=headers)


def test_small_stream_is_compressed_while_it_is_sent():
    response = answered(stream(**{"Content-Length": str(len(TEXT))}))
    assert gzip.decompress(b"".join(response)) == TEXT
    assert not response.has_header("Content-Length")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Length": str(5 * 1024**2)},
        {"Content-Length": str(len(TEXT)), "Content-Disposition": "attachment; filename=x.html"},
    ],
)
def test_large_results_and_downloads_are_sent_uncompressed(headers):
    response = answered(stream(**headers))
    assert b"".join(response) == TEXT
    assert dict(headers).items() <= dict(response.items()).items()
