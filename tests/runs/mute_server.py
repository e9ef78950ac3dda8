"""A server that accepts and counts connections but never responds."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Mute:
    """Attributes: url: its address. connections: the number of accepted connections."""

    def __init__(self, server: socket.socket) -> None:
        self.url = f"http://127.0.0.1:{server.getsockname()[1]}"
        self.connections = 0
        self._server = server
        self._open: list[socket.socket] = []

    def accept(self) -> None:
        while True:
            try:
                self._open.append(self._server.accept()[0])
            except OSError:
                return
            self.connections += 1

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        for each in (*self._open, self._server):
            each.close()


@contextmanager
def mute_server() -> Iterator[Mute]:
    """Serves on a free port until the block ends."""
    mute = Mute(socket.create_server(("127.0.0.1", 0)))
    thread = threading.Thread(target=mute.accept)
    thread.start()
    try:
        yield mute
    finally:
        mute.close()
        thread.join()
