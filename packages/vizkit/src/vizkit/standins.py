"""Stand-ins for modules that files written for Kubeflow's visualization server import, if the environment lacks them.

These files read their input with TensorFlow's `file_io` and import gcsfs "for pandas". Here the source is a local file,
so the few functions that they use need neither. Modules of the environment are never replaced.
"""

from __future__ import annotations

import glob
import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_FILE_IO: Final = "tensorflow.python.lib.io.file_io"


def install() -> None:
    """Makes the stand-ins importable; repeated calls have no effect."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        # Last, so that it finds only modules that nothing else finds.
        sys.meta_path.append(_Finder())
    _mend_itables()


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the stand-ins."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """Returns a spec for stand-ins, None for everything else."""
        del path, target
        is_package = _FILE_IO.startswith(f"{name}.")
        if name not in {"gcsfs", _FILE_IO} and not is_package:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=is_package)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Returns a plain module."""
        return ModuleType(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Fills a module; accessing any other attribute raises an explanation."""
        found: dict[str, Callable[..., Any]] = _FUNCTIONS if module.__name__ == _FILE_IO else {}
        module.__dict__.update(found)
        module.__doc__ = "A stand-in: see vizkit.standins."
        module.__dict__["__getattr__"] = _refusal(module.__name__)


def _refusal(module: str) -> Callable[[str], Any]:
    def refuse(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(f"{module}.{name} is not in this environment: here is a stand-in for reading local files.")

    return refuse


def get_matching_files(filename: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[str]:
    """Returns the sorted files that match a pattern, or any of several."""
    patterns = [filename] if isinstance(filename, str | os.PathLike) else list(filename)
    return sorted({name for pattern in patterns for name in glob.glob(os.fspath(pattern))})  # noqa: PTH207


def read_file_to_string(filename: str | os.PathLike[str], binary_mode: bool = False) -> Any:  # noqa: FBT001, FBT002
    """Returns a file's text, or its bytes."""
    path = Path(filename)
    return path.read_bytes() if binary_mode else path.read_text(encoding="utf-8")


def file_exists(path: str | os.PathLike[str]) -> bool:
    """Whether a file or folder exists."""
    return Path(path).exists()


def is_directory(dirname: str | os.PathLike[str]) -> bool:
    """Whether it is a folder."""
    return Path(dirname).is_dir()


def list_directory(dirname: str | os.PathLike[str]) -> list[str]:
    """Returns the names in a folder."""
    return sorted(each.name for each in Path(dirname).iterdir())


def file_io(name: str | os.PathLike[str], mode: str = "r") -> Any:
    """Opens a file."""
    return Path(name).open(mode, encoding=None if "b" in mode else "utf-8")


_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "FileIO": file_io,
    "file_exists": file_exists,
    "file_exists_v2": file_exists,
    "get_matching_files": get_matching_files,
    "get_matching_files_v2": get_matching_files,
    "is_directory": is_directory,
    "is_directory_v2": is_directory,
    "list_directory": list_directory,
    "list_directory_v2": list_directory,
    "read_file_to_string": read_file_to_string,
}


def _mend_itables() -> None:
    """Restores the function by which the first versions of itables loaded their script; now it loads automatically."""
    try:
        from itables import javascript
    except ImportError:
        return
    if not hasattr(javascript, "load_datatables"):
        javascript.load_datatables = lambda *_args, **_more: None
