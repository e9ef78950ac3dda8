"""Runs a complete portal of the old or the new version on one machine."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.servers import free_port
from tests.upgrade.api_client import Door
from tests.upgrade.versions import Version
from tests.waiting import wait_until


@contextmanager
def running(version: Version, data_dir: Path, **env: str) -> Iterator[tuple[Door, subprocess.Popen[bytes]]]:
    """Runs `manage.py up` of a version, as `make run` does once the packages are installed."""
    port = free_port()
    bind = f"127.0.0.1:{port}"
    settings = version.settings({"VIZPORTAL_DATA_DIR": str(data_dir), "VIZPORTAL_BIND": bind, **env})
    output = data_dir.with_name(f"{version.name}.log")
    with output.open("wb") as log:
        call = [version.python, "manage.py", "up"]
        process = subprocess.Popen(call, cwd=version.tree, env=settings, stdout=log, stderr=log, start_new_session=True)

    def is_ready() -> bool:
        assert process.poll() is None, output.read_text()
        return "is ready" in output.read_text()

    try:
        wait_until(is_ready, 240, f"the {version.name} portal: {output}")
        yield Door(f"http://{bind}"), process
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(40)
        process.kill()
        process.wait()
