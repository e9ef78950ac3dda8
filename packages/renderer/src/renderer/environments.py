"""Environments: locked sets of packages with an interpreter of their own, built by uv.

A definition is a folder `<definitions_dir>/<key>/` with a pyproject.toml and a uv.lock. A built environment is a
virtual environment in `<built_dir>/<key>/`. The table [tool.vizportal] of the pyproject.toml may set `preload` (the
modules that a render host imports before it forks) and `renders = false` (renders may not use the environment).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from packaging.specifiers import SpecifierSet

_ASSET_INDEX: Final = Path(__file__).with_name("child") / "render_child" / "page" / "asset_index.py"
# The style sheets and scripts that every page uses.
PAGE_ASSETS_DIR: Final = Path(__file__).with_name("child") / "render_child" / "page" / "static"
MARK: Final = ".vizportal-lock"


class EnvironmentUnusableError(Exception):
    """An environment is unknown or could not be built; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentInfo:
    """One environment.

    Attributes:
        packages: the requirements listed in its pyproject.toml.
        interpreter: None if it is not built.
        lock_digest: the first 16 hex digits of the lock file's SHA-256.
        is_current: whether the built environment matches the lock file.
        preload: the modules that its render host imports before it forks.
    """

    key: str
    packages: tuple[str, ...]
    interpreter: Path | None
    lock_digest: str
    is_current: bool
    preload: tuple[str, ...] = ()

    @property
    def is_built(self) -> bool:
        """Whether the environment is built."""
        return self.interpreter is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """The environments of one installation.

    Attributes:
        definitions_dir: holds a folder with a pyproject.toml and a uv.lock for each environment.
        built_dir: holds the virtual environments of those that are built; need not exist.
    """

    definitions_dir: Path
    built_dir: Path

    def get_keys(self) -> list[str]:
        """Returns the keys of the environments that renders may use, sorted."""
        return sorted(
            path.parent.name
            for path in self.definitions_dir.glob("*/pyproject.toml")
            if _tool_table(path).get("renders", True)
        )

    def get_all(self) -> list[EnvironmentInfo]:
        """Returns every environment that renders may use, built or not."""
        return [self.get(key) for key in self.get_keys()]

    def get(self, key: str) -> EnvironmentInfo:
        """Returns one environment, including one that renders may not use.

        Raises:
            EnvironmentUnusableError: no environment has this key.
        """
        definition = self.definitions_dir / key
        if not key.isidentifier() or not (definition / "pyproject.toml").is_file():
            raise EnvironmentUnusableError(f"There is no environment {key!r}. Defined: {', '.join(self.get_keys())}.")
        built = self.built_dir / key
        files = (definition / "pyproject.toml", definition / "uv.lock", built / MARK, built / "bin" / "python")
        return _read(definition, self.built_dir, tuple(map(_changed_at, files)))

    def build(
        self,
        key: str,
        on_line: Callable[[str], None],
        *,
        shows_progress: bool = False,
        compiles_bytecode: bool = True,
    ) -> EnvironmentInfo:
        """Builds one environment from its lock file, or updates it.

        Args:
            on_line: called with each line that uv prints and with a description of each further step.
            shows_progress: lets uv draw its own progress bars on this process's terminal instead of printing lines.
            compiles_bytecode: compile all modules now, which takes several seconds. Otherwise each render compiles the
                modules that it imports again, since renders may not write to the environment.

        Raises:
            EnvironmentUnusableError: the key is unknown, uv is missing, or uv failed.
        """
        info = self.get(key)
        target = self.built_dir / key
        self.built_dir.mkdir(parents=True, exist_ok=True)
        on_line(f"Packages of {key}, by its lock file")
        options = ["--compile-bytecode"] if compiles_bytecode else []
        _sync(self.definitions_dir / key, target, on_line, options, shows_progress=shows_progress)
        # Run at the same time: both import half of the libraries, on one processor each.
        with _warmed_caches(target, on_line):
            _collect_assets(target, on_line)
        (target / MARK).write_text(info.lock_digest, encoding="utf-8")
        return self.get(key)


def _tool_table(path: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("vizportal", {})
    return table


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=64)
def _read(definition: Path, built_dir: Path, _changed: tuple[int, ...]) -> EnvironmentInfo:
    """Reads an environment's files. Cached by their modification times, since every render asks."""
    key = definition.name
    digest = _lock_digest(definition)
    interpreter = built_dir / key / "bin" / "python"
    mark = built_dir / key / MARK
    table = tomllib.loads((definition / "pyproject.toml").read_text(encoding="utf-8"))
    return EnvironmentInfo(
        key=key,
        packages=tuple(table["project"]["dependencies"]),
        interpreter=interpreter if interpreter.exists() else None,
        lock_digest=digest,
        is_current=mark.is_file() and mark.read_text(encoding="utf-8") == digest,
        preload=tuple(table.get("tool", {}).get("vizportal", {}).get("preload", ())),
    )


def _sync(
    definition: Path, target: Path, on_line: Callable[[str], None], options: Sequence[str], *, shows_progress: bool
) -> None:
    environ = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(target), "VIRTUAL_ENV": ""}
    output = None if shows_progress else subprocess.PIPE
    with tempfile.TemporaryDirectory(prefix="environment-") as copy:
        # uv refuses a project inside its cache, which is where `uvx` installs the definitions.
        for name in ("pyproject.toml", "uv.lock"):
            shutil.copy(definition / name, copy)
        command = [find_uv(), "sync", "--frozen", "--project", copy, "--python", _python_for(definition)]
        command += options
        with subprocess.Popen(command, env=environ, stdout=output, stderr=subprocess.STDOUT, text=True) as process:
            for line in process.stdout or ():
                on_line(line.rstrip())
    if process.returncode:
        raise EnvironmentUnusableError(
            f"uv could not build the environment {definition.name!r} (exit {process.returncode})."
        )


def _python_for(definition: Path) -> str:
    """Returns the interpreter to build with: this one if its version fits, else the required version for uv to find."""
    wanted = tomllib.loads((definition / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    own = ".".join(map(str, sys.version_info[:3]))
    return sys.executable if SpecifierSet(wanted).contains(own) else str(wanted)


def module_names(info: EnvironmentInfo) -> list[str]:
    """Returns the names of the modules that code in an environment can import; empty if it is not built here.

    The names come from the files of site-packages. Toolkits (`HostSpec.toolkits`) are not included.
    """
    if info.interpreter is None:
        return []
    return list(_module_names(info.interpreter, _changed_at(info.interpreter.parents[1] / MARK)))


@lru_cache(maxsize=16)
def _module_names(interpreter: Path, _changed: int) -> tuple[str, ...]:
    names = {
        path.stem
        for folder in interpreter.parents[1].glob("lib/python3*/site-packages")
        for path in folder.iterdir()
        if path.suffix in {"", ".py"} and path.stem.isidentifier() and not path.stem.startswith("_")
    }
    return tuple(sorted(names - {"bin"}))


def matplotlib_cache_dir(interpreter: Path) -> Path:
    """Returns the folder of an environment's matplotlib font cache, which takes seconds to build."""
    return interpreter.parent.parent / "share" / "vizportal" / "matplotlib"


def assets_dir(interpreter: Path) -> Path:
    """Returns the folder of the libraries' JavaScript and CSS and of index.json, which describes them."""
    return interpreter.parent.parent / "share" / "vizportal" / "assets"


def _collect_assets(target: Path, on_line: Callable[[str], None]) -> None:
    interpreter = target / "bin" / "python"
    command = [str(interpreter), "-I", str(_ASSET_INDEX), str(assets_dir(interpreter))]
    environ = {"PATH": os.defpath, "HOME": str(assets_dir(interpreter).parent), "PYTHONUTF8": "1"}
    on_line("Collecting the libraries' JavaScript")
    done = subprocess.run(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    for line in done.stdout.splitlines():
        on_line(line)


@contextmanager
def _warmed_caches(target: Path, on_line: Callable[[str], None]) -> Iterator[None]:
    """Context manager: fills the caches of the environment's libraries while the block runs."""
    interpreter = target / "bin" / "python"
    cache = matplotlib_cache_dir(interpreter)
    cache.mkdir(parents=True, exist_ok=True)
    has_matplotlib = any(target.glob("lib/python*/site-packages/matplotlib"))
    if not has_matplotlib:
        yield
        return
    on_line("Building the font cache")
    environ = {"MPLCONFIGDIR": str(cache), "PATH": os.defpath, "HOME": str(cache)}
    with subprocess.Popen([interpreter, "-I", "-c", "import matplotlib.font_manager"], env=environ):
        yield


def find_uv() -> str:
    """Returns the path of uv.

    Raises:
        EnvironmentUnusableError: uv is not installed.
    """
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        raise EnvironmentUnusableError("uv is not installed. `make setup` installs it, or: pip install uv.")
    return uv


def _lock_digest(definition: Path) -> str:
    return hashlib.sha256((definition / "uv.lock").read_bytes()).hexdigest()[:16]
