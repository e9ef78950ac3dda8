"""The server's ASGI handler uses one thread per request and sends responses in chunks."""

import asyncio
import threading
from pathlib import Path

import pytest
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from tests.asgi import fetch, scope_of
from vizportal.asgi_parts import OneThreadHandler
from vizportal.urls import urlpatterns as portal_urls

pytestmark = pytest.mark.django_db
PATIENCE_S = 20
seen = {}


def numbers():
    try:
        for number in range(3):
            seen["made"] = number
            yield b"" if number == 1 else str(number).encode()
    finally:
        seen["closed"] = threading.get_ident()


@login_not_required
def streams(_request):
    seen["thread"] = threading.get_ident()
    return StreamingHttpResponse(numbers())


@login_not_required
def file(request):
    return FileResponse(Path(request.headers["X-File"]).open("rb"))


urlpatterns = [*portal_urls, path("streams", streams), path("file", file)]


@pytest.fixture(autouse=True)
def urls():
    seen.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield


def test_empty_chunk_does_not_end_the_response():
    assert fetch(OneThreadHandler(), "/streams") == (200, [b"0", b"2"])
    # It is closed in the thread that created it, since no other thread may close a connection.
    assert seen["closed"] == seen["thread"]


def test_chunk_is_produced_only_when_it_can_be_sent():
    async def scene():
        received, sent, may_go_on = asyncio.Queue(), asyncio.Queue(), asyncio.Event()
        received.put_nowait({"type": "http.request", "body": b"", "more_body": False})

        async def send(message):
            await sent.put(message)
            if message.get("body"):
                await may_go_on.wait()

        task = asyncio.ensure_future(OneThreadHandler()(scope_of("/streams"), received.get, send))
        async with asyncio.timeout(PATIENCE_S):
            while (await sent.get()).get("body") != b"0":
                pass
            assert seen["made"] == 0
            received.put_nowait({"type": "http.disconnect"})
            await task

    asyncio.run(scene())
    # The client had disconnected.
    assert seen["made"] == 0
    assert seen["closed"]


def test_file_is_sent_in_large_chunks(tmp_path):
    made = tmp_path / "made"
    made.write_bytes(bytes(10_000_000))
    status, pieces = fetch(OneThreadHandler(), "/file", **{"X-File": str(made)})
    assert (status, sum(map(len, pieces))) == (200, 10_000_000)
    # Django splits its input into chunks of this size. Its own chunks of a file have 4 kB.
    assert {len(each) for each in pieces[:-1]} == {65_536}
