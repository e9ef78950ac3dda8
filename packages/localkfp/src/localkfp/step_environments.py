"""The interpreter that a step runs in: the steps environment, or one built for the packages its component requests."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from localkfp.step_commands import StepCommand

_BUILD_TIMEOUT_S: Final = 900
_LONGEST_FAILURE: Final = 500
# Characters that uv puts in front of its lines if it assumes a terminal.
_UV_MARKS: Final = (
    " \N{MULTIPLICATION SIGN}\N{BOX DRAWINGS LIGHT ARC UP AND RIGHT}\N{BOX DRAWINGS LIGHT HORIZONTAL}"
    "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}\N{BLACK RIGHT-POINTING TRIANGLE}\N{BOX DRAWINGS LIGHT VERTICAL}"
)
# How this machine reaches the network and its package index. Steps get these settings too, like pods in a cluster.
_NETWORK: Final = (
    "UV_",
    "PIP_",
    "SSL_CERT_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
)


class StepEnvironmentError(Exception):
    """A step's packages could not be installed; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnvironments:
    """Provides interpreters.

    Attributes:
        python: of the steps environment, which contains kfp.
        folder: for the environments with additional packages.
    """

    python: Path
    folder: Path

    def interpreter(self, command: StepCommand, log: IO[bytes]) -> Path:
        """Returns the interpreter for a component, building its environment if it does not exist.

        If the steps environment already contains everything, it is used as it is.

        Args:
            command: the component.
            log: receives the output of the installation.

        Raises:
            StepEnvironmentError: uv is missing, or the installation failed.
        """
        if not command.packages or self._has(command.packages):
            return self.python
        wanted = [_kfp_of(self.python), *command.packages]
        key = hashlib.sha256(json.dumps([str(self.python), wanted, command.index_options]).encode())
        home = self.folder / key.hexdigest()[:20]
        with _locked(home.with_suffix(".lock")):
            if not (home / "ready").exists():
                log.write(f"Installing {', '.join(command.packages)} ...\n".encode())
                log.flush()
                self._build(home, wanted, command.index_options, log)
        return home / "bin" / "python"

    def _has(self, packages: tuple[str, ...]) -> bool:
        done = _run([str(self.python), "-c", _CHECK, *packages])
        return done.returncode == 0

    def _build(self, home: Path, packages: list[str], options: tuple[str, ...], log: IO[bytes]) -> None:
        uv = find_uv()
        if uv is None:
            raise StepEnvironmentError(
                f"this step asks for {', '.join(packages[1:])}, and uv, which would install them, is not on PATH"
            )
        shutil.rmtree(home, ignore_errors=True)
        python = str(home / "bin" / "python")
        install = [uv, "pip", "install", "--python", python, *_for_uv(options), *packages]
        for call in ([uv, "venv", "--quiet", "--python", str(self.python), str(home)], install):
            done = _run(call)
            log.write(done.stdout)
            log.flush()
            if done.returncode:
                reason = failure_of(done.stdout.decode("utf-8", "replace")) or f"exit code {done.returncode}"
                raise StepEnvironmentError(f"could not install {', '.join(packages[1:])}: {reason}")
        (home / "ready").touch()


# Checks which requirements are satisfied, including markers and extras, like pip; packaging is a dependency of kfp.
_CHECK: Final = """
import sys
from importlib.metadata import PackageNotFoundError, version
from packaging.requirements import Requirement
for text in sys.argv[1:]:
    try:
        wanted = Requirement(text)
        if wanted.url or wanted.extras:
            sys.exit(1)
        if wanted.marker and not wanted.marker.evaluate():
            continue
        if not wanted.specifier.contains(version(wanted.name), prereleases=True):
            sys.exit(1)
    except (ValueError, PackageNotFoundError):
        sys.exit(1)
"""


def find_uv() -> str | None:
    """Returns the path of uv, next to this interpreter or on PATH; None if there is none."""
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if beside.is_file() else shutil.which("uv")


def failure_of(output: str) -> str:
    """Returns why uv failed, in one line: its error and causes, without the hints at the end."""
    lines = [line.strip(_UV_MARKS) for line in output.splitlines() if not line.startswith("Using Python")]
    begin = next((place for place, line in enumerate(lines) if line.startswith("error:")), 0)
    said = " ".join(itertools.takewhile(lambda line: not line.startswith("hint:"), filter(None, lines[begin:])))
    return said.removeprefix("error: ").replace(" cause: ", ": ")[:_LONGEST_FAILURE]


def network_settings() -> dict[str, str]:
    """Returns this process's settings of proxies, certificates and package indexes."""
    return {name: value for name, value in os.environ.items() if name.upper().startswith(_NETWORK)}


def step_environ(python: Path, home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment variables of a step; from the server's own only the time zone and the network settings.

    Args:
        python: the interpreter, whose folder comes first on PATH.
        home: the step's own folder, for HOME and temporary files.
        extra: variables that the pipeline sets on the task.
    """
    return {
        "PATH": os.pathsep.join([str(python.parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "TZ": os.environ.get("TZ", "UTC"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "_KFP_RUNTIME": "true",
        **network_settings(),
        **extra,
    }


def _for_uv(options: tuple[str, ...]) -> list[str]:
    return ["--allow-insecure-host" if word == "--trusted-host" else word for word in options]


def _kfp_of(python: Path) -> str:
    done = _run([str(python), "-c", "from importlib.metadata import version; print(version('kfp'))"])
    if done.returncode:
        raise StepEnvironmentError(f"the steps environment at {python} has no kfp: build it first")
    return f"kfp=={done.stdout.decode().strip()}"


def _run(call: list[str]) -> subprocess.CompletedProcess[bytes]:
    env = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/"), **network_settings()}
    if cache := os.environ.get("XDG_CACHE_HOME"):
        env["XDG_CACHE_HOME"] = cache
    try:
        return subprocess.run(
            call,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            timeout=_BUILD_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StepEnvironmentError(f"{call[0]}: {error}") from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Lock: if two runs need the same environment at once, the second waits for the first to build it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
