"""Reads the commands in docs/storage.md and runs them unchanged."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from vizportal.settings import BASE_DIR

_SECTION = re.compile(r"^### (.+?)\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(title: str) -> list[str]:
    """Returns the command blocks below a heading, in order."""
    text = (BASE_DIR / "docs" / "storage.md").read_text()
    sections = dict(_SECTION.findall(text.partition("## Backing up and restoring")[2]))
    return _BLOCK.findall(sections[title])


def run(block: str, place: Path, env: Mapping[str, str]) -> str:
    """Runs a block in `place`, prepared like the project's root, and returns its output."""
    for name, target in ((".venv", Path(sys.prefix)), ("manage.py", BASE_DIR / "manage.py")):
        if not (place / name).exists():
            (place / name).symlink_to(target)
    call = ["sh", "-euc", block]
    done = subprocess.run(call, cwd=place, env=dict(env), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
