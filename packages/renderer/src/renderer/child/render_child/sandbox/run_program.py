"""Runs one Python file in the sandbox with limits for the process; `renderer.run_confined` starts it."""

from __future__ import annotations

import math
import os
import resource
import runpy
import sys
from collections.abc import Sequence
from typing import Any

from .confinement import Sandbox, describe, read_paths


def run_program(options: dict[str, Any], arguments: Sequence[str]) -> None:
    """Confines this process, then runs a file as `__main__`.

    Args:
        options: `program` and `folder` (paths), and the fields of `renderer.ConfinedLimits`.
        arguments: for the program's `sys.argv`.

    Raises:
        SandboxError: the kernel has a sandbox, but it could not be entered.
    """
    limits = {
        resource.RLIMIT_AS: options["address_space_bytes"],
        resource.RLIMIT_CPU: math.ceil(options["timeout_s"]),
        resource.RLIMIT_FSIZE: options["output_bytes"],
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        resource.setrlimit(kind, (limit, limit))
    folder, program = options["folder"], options["program"]
    # Without Landlock and seccomp (an old kernel, another system) only the limits above apply.
    mode = describe("landlock").mode
    sandbox = Sandbox.prepare(mode=mode, read_paths=[*read_paths(), program])
    # No child processes: the limits apply per process, and its end must be the end of everything here.
    sandbox.enter(
        readable=[folder], writable=(), sockets="none", max_file_bytes=options["output_bytes"], spawning="threads"
    )
    os.chdir(folder)
    sys.argv = [program, *arguments]
    runpy.run_path(program, run_name="__main__")
