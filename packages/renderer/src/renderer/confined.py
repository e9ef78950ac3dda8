"""Runs one Python file in the sandbox, without a notebook: for trusted code that reads untrusted data."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from renderer.host_spec import CHILD

_PASSED_ON: Final = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}


class ConfinedTimeoutError(Exception):
    """The program did not end in time and was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfinedLimits:
    """Limits of one program.

    Attributes:
        timeout_s: wall-clock time until the program is killed; also the limit of its CPU time.
        address_space_bytes: RLIMIT_AS. Native libraries reserve far more addresses than they use.
        output_bytes: the limit of captured standard output, and of each file that the program writes.
    """

    timeout_s: float = 10.0
    address_space_bytes: int = 3 * 1024**3
    output_bytes: int = 4 * 1024**2


def run_confined(
    program: Path, arguments: Sequence[str], *, interpreter: Path, folder: Path, limits: ConfinedLimits
) -> bytes:
    """Runs a Python file that can read one folder and its interpreter's libraries, and nothing else.

    The program can start no process, open no socket and write no file. On a kernel without Landlock or seccomp only the
    limits apply, so the program itself must be trusted.

    Args:
        program: the file. `sys.argv` holds its path and the arguments; the working directory is `folder`.
        interpreter: the Python of the environment that has the program's libraries.

    Returns:
        The program's standard output, cut at `limits.output_bytes`, and incomplete if a limit ended the program. Treat
        it as untrusted: the data may have exploited the program.

    Raises:
        ConfinedTimeoutError: the program did not end in time.
    """
    options = json.dumps({**asdict(limits), "folder": str(folder), "program": str(program)})
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [str(interpreter), "-I", str(CHILD), "run", options, *arguments],
            cwd=folder,
            env={**_PASSED_ON, "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(limits.timeout_s)
        except subprocess.TimeoutExpired as error:
            raise ConfinedTimeoutError(f"{program.name} took longer than {limits.timeout_s:g} s.") from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        return output.read(limits.output_bytes)
