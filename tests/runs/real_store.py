"""Starts a real ML Metadata store (see tests/mlmd_store) in its own environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent / "mlmd_store"


@dataclass(frozen=True)
class Store:
    """A running store with both of its interfaces."""

    grpc_address: str
    web_url: str

    def write(self, rows: dict[str, Any]) -> dict[str, int]:
        """Writes a run's rows and returns their ids in the store."""
        request = urllib.request.Request(f"{self.web_url}/write", data=json.dumps(rows).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)


def interpreter(built_dir: Path) -> Path:
    """Returns an interpreter with ml-metadata, and builds it from the lock file if it is missing."""
    target = built_dir / "mlmd-store"
    uv = Path(sys.executable).parent / "uv"
    command = [str(uv if uv.exists() else shutil.which("uv")), "sync", "--frozen", "--quiet", "--project", str(HERE)]
    environ = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(target), "VIRTUAL_ENV": ""}
    subprocess.run([*command, "--python", sys.executable], env=environ, check=True)
    return target / "bin" / "python"


@contextmanager
def running_store(built_dir: Path) -> Iterator[Store]:
    """Runs a store until the block ends."""
    command = [str(interpreter(built_dir)), "-W", "ignore", str(HERE / "server.py")]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        ports = json.loads(process.stdout.readline())
        yield Store(grpc_address=f"grpc://127.0.0.1:{ports['grpc']}", web_url=f"http://127.0.0.1:{ports['web']}")
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()
