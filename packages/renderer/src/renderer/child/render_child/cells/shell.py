"""The IPython shell of a render: created once in the host and copied into each child by the fork.

It is ipykernel's shell, so code finds the same environment as in a notebook. It has no sockets, threads or event loop.
"""

from __future__ import annotations

import builtins
import getpass
import os
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn

import comm
from comm.base_comm import CommManager
from ipykernel.compiler import XCachingCompiler
from ipykernel.displayhook import ZMQShellDisplayHook
from ipykernel.zmqshell import ZMQDisplayPublisher, ZMQInteractiveShell
from IPython.core.error import StdinNotImplementedError, UsageError
from traitlets.config import Config

from . import shortcuts
from .capture import Comm, Recorder, Stream


class CellCompiler(XCachingCompiler):  # type: ignore[misc]
    """Names cells like ipykernel but with a checksum in C: ipykernel's own takes milliseconds for a long cell.

    The named files are never written, so they need not be in a writable folder, and the names stay short.
    """

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:  # noqa: ARG002  (IPython's signature)
        """Returns the file name that tracebacks and warnings show for a cell."""
        name = zlib.crc32(raw_code.encode("utf-8", "replace"))
        return f"/tmp/ipykernel_{os.getpid()}/{name}.py"  # noqa: S108


def make_shell(recorder: Recorder) -> Any:
    """Returns the shell, with its displays and streams connected to `recorder`. One per process."""
    shortcuts.install()
    config = Config()
    # A history file would need a thread and a database.
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    kernel = SimpleNamespace(eventloop=None, shell=None, session=recorder.session)
    # Libraries recognize a notebook by the name of this class, so it must not be subclassed.
    shell = ZMQInteractiveShell.instance(
        config=config,
        kernel=kernel,
        compiler_class=CellCompiler,
        displayhook_class=ZMQShellDisplayHook,
        display_pub_class=ZMQDisplayPublisher,
    )
    kernel.shell, kernel.get_parent = shell, shell.get_parent
    for part in (shell.displayhook, shell.display_pub):
        part.session, part.pub_socket = recorder.session, None
    shell.displayhook.topic = None
    shell.enable_gui = _enable_gui
    _connect_comms(recorder, shell)
    return shell


def _enable_gui(gui: str | None = None) -> None:
    """Accepts `%matplotlib inline`, which needs no event loop; other backends have no screen here."""
    if gui not in {None, "inline"}:
        raise UsageError(f"A render has no screen, so there is no {gui!r}. Use %matplotlib inline.")


def make_streams(recorder: Recorder) -> tuple[Stream, Stream]:
    """Returns the replacements for stdout and stderr while cells run."""
    out, err = Stream("stdout", recorder.session, 1), Stream("stderr", recorder.session, 2)
    out.other, err.other = err, out
    recorder.streams = (out, err)
    return out, err


def refuse_input() -> None:
    """Makes `input` and `getpass` raise, as under nbclient: nobody can answer a question in a render."""

    def refusal(name: str) -> Callable[..., NoReturn]:
        def refuse(*_args: Any, **_more: Any) -> NoReturn:
            raise StdinNotImplementedError(f"{name} was called, but this frontend does not support input requests.")

        return refuse

    builtins.input = refusal("raw_input")
    getpass.getpass = refusal("getpass")


def _connect_comms(recorder: Recorder, shell: Any) -> None:
    manager = CommManager()
    Comm.session, Comm.shell = recorder.session, shell
    comm.create_comm = Comm
    comm.get_comm_manager = lambda: manager
