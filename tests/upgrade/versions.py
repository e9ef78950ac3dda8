"""The previous version, from this repository's history, and the current one."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from vizportal.settings import BASE_DIR

PREVIOUS_FILE = Path(__file__).with_name("previous.toml")
_DEFINITIONS = ("base", "steps")


@dataclass(frozen=True, slots=True)
class Version:
    """A source tree, a Python with its packages, and the environments of its renders."""

    name: str
    tree: Path
    python: Path
    environments: Path

    def settings(self, env: dict[str, str]) -> dict[str, str]:
        """Returns environment variables for its processes, without those of the machine's own portal."""
        ours = ("VIZPORTAL_", "DJANGO_", "KFP_", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "PYTHONPATH")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return {**plain, "VIZPORTAL_ENVIRONMENTS_DIR": str(self.environments), **env}


PRESENT = Version("new", BASE_DIR, Path(sys.executable), BASE_DIR / ".environments")


def git(*arguments: str) -> str:
    """Returns the output of git for this repository. Skips the test if there is no history."""
    return _git(*arguments).decode()


def _git(*arguments: str) -> bytes:
    try:
        return subprocess.run(["git", *arguments], cwd=BASE_DIR, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", b"") or str(error).encode()
        if _has_history():
            pytest.fail(f"{PREVIOUS_FILE.name} names a version that is not in this history: {told.decode().strip()}")
        return pytest.skip(f"no history here (a shallow or no checkout): {told.decode().strip()}")


def _has_history() -> bool:
    """Returns whether this is a complete checkout with its full history."""
    call = ["git", "rev-list", "--count", "HEAD"]
    counted = subprocess.run(call, cwd=BASE_DIR, check=False, capture_output=True, text=True)
    is_shallow = (BASE_DIR / ".git" / "shallow").exists()
    return counted.returncode == 0 and int(counted.stdout) > 1 and not is_shallow


def previous_version(root: Path) -> Version:
    """Sets up the previous version in `root`, with exactly the packages of its lock file."""
    tree, packages = root / "tree", root / "packages"
    tree.mkdir()
    archive = _git("archive", "--format=tar", tomllib.loads(PREVIOUS_FILE.read_text())["commit"])
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(tree, filter="data")
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "sync", "--frozen", "--no-dev", "--all-extras", "--quiet", "--python", sys.executable],
        cwd=tree,
        env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(packages), "VIRTUAL_ENV": ""},
        check=True,
    )
    version = Version("old", tree, packages / "bin" / "python", PRESENT.environments)
    if all(_lock(tree, key) == _lock(BASE_DIR, key) for key in _DEFINITIONS):
        return version
    # It would build its own environments in the place of ours.
    version = Version("old", tree, version.python, root / "environments")
    for key in _DEFINITIONS:
        call = [version.python, "manage.py", "environments", "build", key]
        env = version.settings({"VIZPORTAL_DATA_DIR": str(root / "build")})
        subprocess.run(call, cwd=tree, env=env, check=True, stdout=subprocess.DEVNULL)
    return version


def _lock(tree: Path, key: str) -> bytes:
    return (tree / "environments" / key / "uv.lock").read_bytes()
