"""An installation with separate processes (web, workers, reconcilers), each of the old or the new version."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from renderer import hosts_end

from tests.postgres import Postgres, postgres_server
from tests.servers import free_port, localkfp_process, valkey_server
from tests.upgrade.api_client import Door
from tests.upgrade.versions import Version
from tests.waiting import wait_until

# Kubeflow requires this credential. Users send it with their requests, and workers get it sealed.
KUBEFLOW_TOKEN = "only-for-tests"
_TOKEN_HEADER = "X-Kubeflow-Token"
_WORKER = ("manage.py", "rqworker", "render-base", "--worker-class", "apps.visualizations.jobs.RenderWorker")
_WORKER += ("--job-class", "apps.visualizations.jobs.RenderJob", "--serializer", "rq.serializers.JSONSerializer")


@dataclass(slots=True)
class House:
    """An installation under the control of a test.

    Attributes:
        env: settings of all processes.
    """

    root: Path
    database: Postgres
    env: dict[str, str]
    processes: dict[str, Any] = field(default_factory=dict)

    def settings(self, version: Version, name: str) -> dict[str, str]:
        """Returns a process's environment variables. It has its own data directory, in which only results are shared.

        The static files are those of its version.
        """
        data_dir = self.root / name
        if not data_dir.exists():
            data_dir.mkdir()
            for own, shared in (("results", "results"), ("static", f"{version.name}-static")):
                (self.root / shared).mkdir(exist_ok=True)
                (data_dir / own).symlink_to(self.root / shared)
        return version.settings({**self.env, "VIZPORTAL_DATA_DIR": str(data_dir)})

    def manage(self, version: Version, *arguments: str, stdin: str = "") -> str:
        """Runs `manage.py` of a version and returns what it printed."""
        done = subprocess.run(
            [version.python, "manage.py", *arguments],
            cwd=version.tree,
            env=self.settings(version, f"{version.name}-shell"),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, version: Version, name: str, *call: str) -> None:
        """Starts a Python program of a version, with its output in `<root>/<name>.log`."""
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [version.python, *call],
                cwd=version.tree,
                env=self.settings(version, name),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_web(self, version: Version, name: str) -> str:
        """Starts a web process, waits until it responds, and returns its address."""
        port = str(free_port())
        call = ("-m", "uvicorn", "vizportal.asgi:application", "--host", "127.0.0.1", "--port", port)
        self.start(version, name, *call, "--lifespan", "off", "--timeout-graceful-shutdown", "2")
        url = f"http://127.0.0.1:{port}"
        wait_until(Door(url).is_open, 180, f"{name}: {self.log(name)}")
        return url

    def start_worker(self, version: Version, name: str) -> None:
        """Starts a worker with its render host."""
        self.start(version, name, *_WORKER)

    def start_reconciler(self, version: Version, name: str) -> None:
        """Starts a reconciler."""
        self.start(version, name, "manage.py", "reconcile", "--loop", "--every", "2")

    def ask_to_end(self, *names: str) -> None:
        """Sends SIGTERM, as Kubernetes and Compose do."""
        for name in names:
            self.processes[name].send_signal(signal.SIGTERM)

    def wait_ended(self, *names: str, seconds: float = 120) -> list[int]:
        """Waits for processes that were asked to end and returns their exit codes."""
        return [self.processes[name].wait(seconds) for name in names]

    def log(self, name: str) -> Path:
        """Returns the path of a process's output."""
        return self.root / f"{name}.log"

    def rows(self) -> dict[str, tuple[Any, ...]]:
        """Returns (state, attempt, losses, html, html_sha256, notebook) of every render, by id."""
        question = "SELECT id, state, attempt, losses, html, html_sha256, notebook FROM visualizations_render"
        with psycopg.connect(self.database.url) as database:
            return {str(row[0]): row[1:] for row in database.execute(question)}

    def stop(self) -> None:
        """Ends the processes that still run."""
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()
            process.wait()
        for run_dir in self.root.glob("*/run/*"):
            hosts_end(run_dir)

    def door(self, url: str, token: str, session: Mapping[str, str]) -> Door:
        """Returns a user's client of a web process, with an API token, a session and a credential for Kubeflow."""
        return Door(url, {"Authorization": f"Bearer {token}", _TOKEN_HEADER: KUBEFLOW_TOKEN, **session})


@contextmanager
def house(root: Path, **env: str) -> Iterator[House]:
    """Yields an installation with a database and a queue, but no process of the portal yet."""
    with postgres_server() as database, valkey_server() as queue:
        shared = {
            "SECRET_KEY": "only-for-tests",
            "DATABASE_URL": database.url,
            "REDIS_URL": queue,
            "VIZPORTAL_AUTH": "password",
            "ALLOW_CUSTOM_VISUALIZATIONS": "true",
            **env,
        }
        found = House(root, database, shared)
        try:
            yield found
        finally:
            found.stop()


@contextmanager
def kubeflow(root: Path) -> Iterator[str]:
    """Yields VIZPORTAL_ENDPOINTS for a Kubeflow that requires users' own credentials and runs its samples."""
    env = {"VIZPORTAL_LOCALKFP_TOKEN": KUBEFLOW_TOKEN}
    with localkfp_process(root / "kubeflow", samples=True, env=env) as (host, _):
        endpoint = {"key": "default", "host": host, "auth": "person-token", "token_header": _TOKEN_HEADER}
        yield json.dumps([endpoint])
