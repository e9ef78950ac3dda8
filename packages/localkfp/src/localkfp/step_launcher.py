"""Runs one component inside the interpreter of its step environment, as `kfp.dsl.executor_main` would be run.

Started by path, not as a module: the step environment does not have this package. The one argument is a JSON file with
`arguments` (of executor_main) and `parent` (the process that must be alive). Uses the standard library and kfp only.
"""

import ctypes
import json
import os
import runpy
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Has the kernel end this process when its parent ends, however that ends (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("the run has ended")


def main() -> None:
    """Reads the call and hands over to kfp."""
    call = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    die_with(call["parent"])
    # The folder of this script must not shadow what the component imports.
    del sys.path[0]
    sys.argv = ["executor_main", *call["arguments"]]
    runpy.run_module("kfp.dsl.executor_main", run_name="__main__")


if __name__ == "__main__":
    main()
