"""Event streams from a browser's side: which events arrive, when a stream ends, and what follows an interruption."""

import asyncio
import json
import uuid
from contextlib import asynccontextmanager, suppress

import pytest
import redis
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client

from apps.visualizations import events
from apps.visualizations.models import Render
from apps.visualizations.views import stream
from tests.asgi import scope_of
from tests.servers import valkey_server
from vizportal.asgi_parts import ConcurrencyLimits, OneThreadHandler

pytestmark = pytest.mark.django_db(transaction=True)
_PATIENCE_S = 20


class Stream:
    """One open request to the ASGI application."""

    def __init__(self, cookie, query=""):
        self.scope = scope_of("/events/", query=query, headers={"cookie": f"sessionid={cookie}"})
        self.sent = asyncio.Queue()
        self.received = asyncio.Queue()
        self.received.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        self._text = ""

    async def head(self):
        """Returns the status and the headers."""
        start = await asyncio.wait_for(self.sent.get(), _PATIENCE_S)
        return start["status"], {name.lower(): value for name, value in start["headers"]}

    async def next(self, name):
        """Returns the data of the next event of that name and skips others."""
        # One timeout for the whole wait: pings never stop.
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                while "\n\n" in self._text:
                    block, self._text = self._text.split("\n\n", 1)
                    fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
                    if fields.get("event") == name:
                        return json.loads(fields["data"])
                message = await self.sent.get()
                assert message["more_body"], "the stream ended"
                self._text += message["body"].decode()

    async def rest(self):
        """Returns everything received until the stream ends by itself."""
        found = self._text
        while True:
            message = await asyncio.wait_for(self.sent.get(), _PATIENCE_S)
            found += message["body"].decode()
            if not message["more_body"]:
                return found


@pytest.fixture
def application():
    return stream.EventStreams(ConcurrencyLimits(OneThreadHandler(), streams=2, polls=1))


@pytest.fixture
def cookie(owner):
    client = Client()
    client.force_login(owner)
    return client.cookies["sessionid"].value


@pytest.fixture(autouse=True)
def hub(monkeypatch, settings, valkey_url):
    settings.REDIS_URL = valkey_url
    found = stream.Hub()
    monkeypatch.setattr(stream, "hub", found)
    return found


@asynccontextmanager
async def opened(application, *streams):
    tasks = [asyncio.ensure_future(application(each.scope, each.received.get, each.sent.put)) for each in streams]
    try:
        yield tasks
    finally:
        for each in streams:
            each.received.put_nowait({"type": "http.disconnect"})
        await asyncio.wait_for(asyncio.gather(*tasks), _PATIENCE_S)


async def answered(each):
    status, headers = await each.head()
    assert (status, headers[b"content-type"]) == (200, b"text/event-stream")
    assert b"content-length" not in headers


async def listening(each):
    """Waits until the hub has subscribed for its first stream; it then sends "look" to the streams already open."""
    while (await each.next("look"))["within_ms"] != stream.LOOK_WITHIN_MS:
        pass


def render():
    return Render(id=uuid.uuid4(), visualization_id=uuid.uuid4())


async def publish(*renders):
    for each in renders:
        assert await sync_to_async(events.publish)(each)


def end_session(key):
    SessionStore(key).flush()
    # The connection of this thread, which no end of a request closes.
    connection.close()


def test_stream_sends_named_renders_events_or_all_without_names(application, cookie):
    mine, other = render(), render()

    async def scene():
        named, every = Stream(cookie, f"render={mine.id}&render={uuid.uuid4()}"), Stream(cookie)
        async with opened(application, named):
            await answered(named)
            await listening(named)
            async with opened(application, every):
                await answered(every)
                await every.next("look")
                await publish(other, mine)
                assert (await named.next("render"))["id"] == str(mine.id)
                assert [(await every.next("render"))["id"] for _ in range(2)] == [str(other.id), str(mine.id)]

    asyncio.run(scene())


def test_open_stream_holds_no_thread_and_frees_its_slot(application, cookie):
    async def scene():
        streams = [Stream(cookie) for _ in range(6)]
        async with opened(application, *streams):
            # Only two may be opening at a time: all six answer only if open streams do not count.
            assert [(await each.head())[0] for each in streams] == [200] * 6

    asyncio.run(scene())


def test_stream_ends_in_time_and_signed_out_user_cannot_reopen_it(application, cookie, monkeypatch):
    monkeypatch.setattr(stream, "LIFE_S", 0.2)
    monkeypatch.setattr(stream, "PING_S", 0.05)

    async def scene():
        first, second = Stream(cookie), Stream(cookie)
        async with opened(application, first):
            assert (await first.head())[0] == 200
            words = await first.rest()
            assert words.startswith(": hello\nretry: ")
            assert words.endswith(f"retry: {stream.COME_BACK_SOON_MS}\n\n")
        await sync_to_async(end_session)(cookie)
        async with opened(application, second):
            assert (await second.head())[0] == 302

    asyncio.run(scene())


def test_streams_get_different_retry_delays(application, cookie):
    async def scene():
        streams = [Stream(cookie) for _ in range(12)]
        async with opened(application, *streams):
            told = set()
            for each in streams:
                await each.head()
                while b"retry" not in (body := (await each.sent.get())["body"]):
                    pass
                told.add(body.split(b"retry: ")[1].split(b"\n")[0])
            assert len(told) > 6

    asyncio.run(scene())


def test_hub_forgets_disconnected_browser(application, cookie, hub):
    async def scene():
        each = Stream(cookie, "render=a")
        async with opened(application, each):
            await each.head()
            await each.next("look")
            assert hub.is_listening
        assert not hub.is_listening

    asyncio.run(scene())


def test_streams_are_told_to_look_after_queue_server_outage(application, cookie, settings):
    async def scene(server):
        each = Stream(cookie, "render=a")
        async with opened(application, each):
            await each.head()
            await listening(each)
            with suppress(redis.exceptions.ConnectionError):
                await sync_to_async(redis.Redis.from_url(server).client_kill_filter)(_type="pubsub")
            assert (await each.next("look"))["within_ms"] == stream.LOOK_WITHIN_MS

    with valkey_server() as url:
        settings.REDIS_URL = url
        asyncio.run(scene(url))


def test_invalid_messages_do_not_end_the_stream(application, cookie, queue):
    mine = render()

    async def scene():
        each = Stream(cookie)
        async with opened(application, each):
            await each.head()
            await listening(each)
            for wrong in ("nonsense", "[]", "{}", '{"id": []}', b"\xff"):
                await sync_to_async(queue.connection.publish)(events.CHANNEL, wrong)
            await publish(mine)
            assert (await each.next("render"))["id"] == str(mine.id)

    asyncio.run(scene())


def test_events_view_returns_204_where_streams_are_not_served(owner):
    client = Client()
    client.force_login(owner)
    assert client.get("/events/").status_code == 204
    assert Client().get("/events/").status_code == 302


def test_polls_and_streams_wait_at_their_limits_and_others_do_not():
    async def scene():
        working, may_end = [], asyncio.Event()

        async def application(scope, _receive, _send):
            working.append(scope["path"])
            await may_end.wait()

        lines = ConcurrencyLimits(application, streams=1, polls=1)
        poll = [(b"x-vizportal-poll", b"1")]
        asked = [("/a", poll), ("/b", poll), ("/c", []), ("/events/", []), ("/e/x/events/", []), ("/d", [])]
        tasks = [
            asyncio.ensure_future(lines({"type": "http", "path": path, "headers": headers}, None, None))
            for path, headers in asked
        ]
        await asyncio.sleep(0)
        assert working == ["/a", "/c", "/events/", "/d"]
        may_end.set()
        await asyncio.wait_for(asyncio.gather(*tasks), _PATIENCE_S)
        assert sorted(working) == sorted(path for path, _ in asked)

    asyncio.run(scene())
