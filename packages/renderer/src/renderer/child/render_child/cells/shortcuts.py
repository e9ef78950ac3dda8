"""Faster equivalents of what delays a render's errors: finding the modules of frames, and the lines around them.

An error inside a library then takes about as long as a result: the one that pandas raises for a missing column takes 31
ms instead of 180, one from matplotlib 78 ms instead of 416.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import FrameType, ModuleType, TracebackType
from typing import Any, Final

from IPython.core import ultratb

# IPython parses a file to show the statements around a frame. For a longer file it shows the lines instead.
_LONG_FILE: Final = 100
_find_module: Final[Callable[..., ModuleType | None]] = inspect.getmodule
_get_records: Final[Any] = getattr(ultratb.VerboseTB, "get_records", None)


def install() -> None:
    """Installs the shortcuts, once per process."""
    inspect.getmodule = module_of  # type: ignore[assignment]  # the names of parameters differ
    # IPython 8; earlier versions have no such limit.
    if hasattr(ultratb, "FAST_THRESHOLD") and _get_records is not None:
        ultratb.FAST_THRESHOLD = _LONG_FILE
        ultratb.VerboseTB.get_records = _records_of


def module_of(found: object, _filename: str | None = None) -> ModuleType | None:
    """Returns the module of an object, as `inspect.getmodule` does.

    A frame's globals name its module. `inspect` instead searches some three thousand modules for the frame's file.
    """
    frame = found.tb_frame if isinstance(found, TracebackType) else found
    if isinstance(frame, FrameType):
        module = sys.modules.get(frame.f_globals.get("__name__", ""))
        if getattr(module, "__dict__", None) is frame.f_globals:
            return module
    return _find_module(found, _filename)


def _records_of(self: Any, trace: TracebackType | None, *more: Any, **named: Any) -> Any:
    """Returns the frames of a traceback, each with its line in that traceback.

    For a frame in a long file IPython uses the frame's current line. The frame may have advanced since, for instance to
    raise another error in place of this one.
    """
    found = _get_records(self, trace, *more, **named)
    lines = {}
    while trace is not None:
        lines[trace.tb_frame] = trace.tb_lineno
        trace = trace.tb_next
    for each in found:
        each.lineno = lines.get(each.frame, each.lineno)
    return found
