"""Shared helpers of the sandbox tests: fork a child for each row, and call the kernel."""

import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import socket
import sys
import time
import warnings
from pathlib import Path

import pytest
import renderer
from renderer.child.render_child.sandbox import confinement as sandbox

from vizportal.settings import BASE_DIR

CHILD = Path(renderer.__file__).parent / "child"
NOBODY = 65534
MAX_FILE_BYTES = 4 * 1024**2
IS_CONFINED = sandbox.describe("landlock").mode == "landlock"
needs_confinement = pytest.mark.skipif(not IS_CONFINED, reason="this kernel has no Landlock or no seccomp")
REFUSED = {errno.EACCES, errno.EPERM}


def run_forked(act, timeout_s=30):
    """Runs `act` in a forked child; returns ["value", x], ["errno", n], ["error", text] or ["signal", n]."""
    readable, writable = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # about forking while the test runner has threads
        pid = os.fork()
    if not pid:
        # Whatever happens, the copy of the test runner must not continue.
        try:
            try:
                answer = ["value", act()]
            except OSError as error:
                answer = ["errno", error.errno]
            except BaseException as error:  # noqa: BLE001
                answer = ["error", repr(error)]
            os.write(writable, json.dumps(answer).encode() + b"\n")
        finally:
            os._exit(0)
    os.close(writable)
    try:
        said = b""
        while select.select([readable], [], [], timeout_s)[0]:
            part = os.read(readable, 65536)
            said += part
            # Don't wait for the end of the pipe: processes that `act` left behind may keep it open.
            if not part or part.endswith(b"\n"):
                break
    finally:
        os.close(readable)
        if not said:
            time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    return json.loads(said) if said else ["signal", os.WTERMSIG(status)]


def paths_for_tests():
    """Returns the read paths of a host, which has no project folder on its path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [each for each in sys.path if not BASE_DIR.is_relative_to(each or BASE_DIR)])
        return sandbox.read_paths()


def libc():
    return ctypes.CDLL(None, use_errno=True)


def raw_prctl(option, value):
    if libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "prctl")


def connect(address, family=socket.AF_UNIX):
    with socket.socket(family) as client:
        client.connect(address)
