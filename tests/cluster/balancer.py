"""A load balancer without sticky sessions: each connection goes to the next server that accepts it."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CONNECT_S = 1.0


class _Balancer:
    def __init__(self, servers: list[tuple[str, int]]) -> None:
        self._turns = itertools.cycle(range(len(servers)))
        self._servers = servers

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = next(self._turns)
        for number in range(len(self._servers)):
            host, port = self._servers[(first + number) % len(self._servers)]
            with suppress(OSError, TimeoutError):
                there = await asyncio.wait_for(asyncio.open_connection(host, port), _CONNECT_S)
                await self._carry(reader, writer, *there)
                return
        writer.close()

    async def _carry(self, reader, writer, server_reader, server_writer) -> None:
        ways = [
            asyncio.ensure_future(_pump(reader, server_writer)),
            asyncio.ensure_future(_pump(server_reader, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for each in (writer, server_writer):
            each.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@contextmanager
def balancer(host: str, servers: list[tuple[str, int]]) -> Iterator[int]:
    """Yields the port of a load balancer for these servers."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        start = asyncio.start_server(_Balancer(servers).serve, host, 0)
        server = asyncio.run_coroutine_threadsafe(start, loop).result(10)
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
