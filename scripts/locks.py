"""The shipped packages, from the locks of the portal and of each environment. Shared by the scripts in this folder."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = ROOT / ".venv" / "bin" / "uv"


def projects() -> Iterator[tuple[str, Path]]:
    """Yields the name and directory of each project with a lock."""
    yield "portal", ROOT
    for lock in sorted(ROOT.glob("environments/*/uv.lock")):
        yield f"environment-{lock.parent.name}", lock.parent


def export(directory: Path, form: str, *options: str) -> str:
    """Returns a lock in another format, without development dependencies.

    Raises:
        subprocess.CalledProcessError: the lock does not match its project.
    """
    command = [UV, "export", "--quiet", "--frozen", "--no-dev", "--project", directory, "--format", form, *options]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
