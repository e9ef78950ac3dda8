"""Sends requests to an ASGI application as a server does, without a server."""

from __future__ import annotations

import asyncio
from typing import Any


def scope_of(path: str, *, query: str = "", headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Returns the ASGI scope of a GET request."""
    given = {"host": "localhost", **(headers or {})}
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "scheme": "http",
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
    }


def fetch(application: Any, path: str, **headers: str) -> tuple[int, list[bytes]]:
    """Returns the status and the chunks of a response."""

    async def scene() -> list[Any]:
        sent: list[Any] = []
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if asked:
                await asyncio.Event().wait()
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await application(scope_of(path, headers=headers), receive, send)
        return sent

    start, *bodies = asyncio.run(scene())
    return start["status"], [each["body"] for each in bodies if each.get("body")]
