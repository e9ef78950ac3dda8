"""Fixtures for the documents' commands: a portal, a localkfp and a copy of the project's root folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.collecting import ROOT
from tests.portals import running_portal, sampled_data
from tests.servers import valkey_server
from tests.waiting import wait_until


def clean_environ(home: Path, **more: str) -> dict[str, str]:
    """Returns environment variables without the settings of this machine's portal and home."""
    ours = ("VIZPORTAL_", "DJANGO_", "KFP_", "SECRET_KEY", "DATABASE_URL", "REDIS_URL")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        "HOME": str(home),
        **more,
    }


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs blocks in a separate folder with links to the project's parts."""

    folder: Path
    env: Mapping[str, str]

    def run(self, block: str, *, python: bool = False) -> str:
        """Runs a block and returns its output. An error fails the test."""
        call = [sys.executable, "-c", block] if python else ["bash", "-euo", "pipefail", "-c", block]
        done = subprocess.run(call, cwd=self.folder, env=dict(self.env), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    @contextmanager
    def started(self, block: str, is_ready: Callable[[], object]) -> Iterator[None]:
        """Runs a block that serves until the end of the `with` statement."""
        output = self.folder / "output.log"
        with output.open("wb") as log:
            call = ["bash", "-euc", block]
            process = subprocess.Popen(
                call, cwd=self.folder, env=dict(self.env), stdout=log, stderr=log, start_new_session=True
            )

        def check() -> object:
            assert process.poll() is None, output.read_text()
            return is_ready()

        try:
            wait_until(check, 120, block)
            yield
        finally:
            # Send it to every process of the session, as Ctrl-C does.
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)


@pytest.fixture
def shell(tmp_path) -> Callable[..., Shell]:
    """Makes a Shell. The keyword arguments are environment variables."""

    def make(**env: str) -> Shell:
        folder, home = tmp_path / "project", tmp_path / "home"
        for path in (folder, home):
            path.mkdir(exist_ok=True)
        for name, target in ((".venv", Path(sys.prefix)), ("manage.py", None), (".environments", None)):
            (folder / name).symlink_to(target or ROOT / name)
        return Shell(folder, clean_environ(home, VIZPORTAL_DATA_DIR=str(tmp_path / "data"), **env))

    return make


@dataclass(frozen=True, slots=True)
class Served:
    """A portal whose sample runs are finished, and the settings for its other processes."""

    url: str
    kubeflow_url: str
    settings: Mapping[str, str]


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "sources").mkdir()
    (folder / "sources" / "predictions.csv").write_text("target,score\n1,0.9\n0,0.2\n")
    with valkey_server() as queue:
        env = {
            "REDIS_URL": queue,
            "VIZPORTAL_SOURCE_ALLOW": f"file://{folder}/sources/",
            "SECRET_KEY": "only-for-tests",
        }
        data_dir = sampled_data(tmp_path_factory, "served-data")
        with running_portal(data_dir, **env) as portal:
            kubeflow_url = portal.get("/readyz")["kubeflow"]["host"]
            yield Served(portal.url, kubeflow_url, {**env, "VIZPORTAL_DATA_DIR": str(data_dir)})
