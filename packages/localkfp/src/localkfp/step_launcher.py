"""Runs one component inside the interpreter of its step environment, like `kfp.dsl.executor_main`.

It is started by path, not as a module, because the step environment does not contain this package. Its only argument is
a JSON file with `arguments` (of executor_main), `parent` (the process that must be alive) and `reason` (the file that
receives why the component failed, in one line). It uses the standard library and kfp only.
"""

import ctypes
import json
import logging
import os
import signal
import sys
import traceback
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Makes the kernel kill this process when its parent ends for any reason (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("the run has ended")


def main() -> None:
    """Reads the call and runs kfp."""
    call = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    die_with(call["parent"])
    # The folder of this script must not shadow modules that the component imports.
    del sys.path[0]
    sys.argv = ["executor_main", *call["arguments"]]
    try:
        _run()
    except BaseException as error:
        Path(call["reason"]).write_text(_in_one_line(error), encoding="utf-8", errors="replace")
        raise


def _run() -> None:
    from kfp.dsl import executor_main  # noqa: PLC0415  (the run's process imports this module too, without kfp's dsl)

    set_up = executor_main._setup_logging  # noqa: SLF001

    def set_up_quietly() -> None:
        """Keeps kfp's notes out of the log: a hundred lines or more before the user's first one."""
        set_up()
        for handler in logging.getLogger().handlers:
            handler.addFilter(lambda record: record.module != "executor_main" or record.levelno > logging.INFO)

    executor_main._setup_logging = set_up_quietly  # noqa: SLF001
    executor_main.executor_main()


def _in_one_line(error: BaseException) -> str:
    if not isinstance(error, SystemExit):
        return " ".join("".join(traceback.format_exception_only(error)).split())
    if isinstance(error.code, str):
        return error.code
    return "" if error.code in (None, 0) else f"it ended itself with exit code {error.code}"


if __name__ == "__main__":
    main()
