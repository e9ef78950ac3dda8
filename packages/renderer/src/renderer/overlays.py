"""Packages that a script requests in addition to its environment's: resolved against those, installed once and kept.

An overlay holds only what the environment lacks, in versions that fit it. The folder is appended to the child's module
search path, so the same warm render host runs the script. Installing runs no code of a package (wheels only), and a
requirement can name neither a URL nor an index.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from renderer.environments import EnvironmentInfo, find_uv

MAX_REQUIREMENTS: Final = 20
_TIMEOUT_S: Final = 300.0
_LOOK_S: Final = 0.2
MAX_KEPT: Final = 20
_MAX_BYTES: Final = 2 * 1024**3
_PASSED_ON: Final = re.compile(r"(?:UV_|SSL_|REQUESTS_CA|HTTPS?_PROXY|NO_PROXY|https?_proxy|no_proxy|PATH|HOME|LANG)")
# Characters with which uv draws a frame around its reasons.
_FRAME: Final = dict.fromkeys(map(ord, "╰─▶│├\u00d7"), " ")
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")


class OverlayError(Exception):
    """The packages cannot be provided; the text is for the author of the script."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """Packages in addition to an environment's.

    Attributes:
        path: the folder to append to `sys.path`; None if the environment has all packages.
        key: identifies environment, interpreter and requirements; "" without requirements.
    """

    path: Path | None
    key: str


def requirements_clean(texts: Sequence[str]) -> tuple[str, ...]:
    """Returns normalized requirements, sorted.

    Raises:
        OverlayError: there are too many, one is not a requirement, or one contains a URL.
    """
    if len(texts) > MAX_REQUIREMENTS:
        raise OverlayError(f"A script may ask for {MAX_REQUIREMENTS} packages, this one asks for {len(texts)}.")
    return tuple(sorted({_clean(text) for text in texts}))


def _clean(text: str) -> str:
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise OverlayError(f"{text[:100]!r} is not a requirement such as humanize>=4") from error
    if requirement.url is not None:
        raise OverlayError(f"{requirement.name} names an address; packages come from this portal's index only.")
    requirement.name = canonicalize_name(requirement.name)
    return str(requirement)


def overlay_get(
    info: EnvironmentInfo,
    requirements: Sequence[str],
    *,
    root: Path,
    index_url: str = "",
    on_wait: Callable[[], None] = lambda: None,
) -> Overlay:
    """Returns the overlay for these requirements, building it if it is missing; one process builds it at a time.

    Args:
        info: a built environment.
        requirements: as `requirements_clean` returns them.
        root: the folder that keeps overlays.
        index_url: the only index; "" for uv's configured ones.
        on_wait: called several times a second; an exception from it ends the build.

    Raises:
        OverlayError: the packages do not exist, do not fit the environment, have no wheel, or take too long.
    """
    assert info.interpreter is not None  # noqa: S101  (the caller refuses an environment that is not built)
    if not requirements:
        return Overlay(None, "")
    facts = "\n".join([info.key, info.lock_digest, index_url, *requirements])
    key = hashlib.sha256(facts.encode()).hexdigest()[:16]
    target = root / f"{info.key}-{key}"
    with _only_one(root, target.name, on_wait):
        if not (target / "done").exists():
            _Build(info.interpreter, index_url, root, on_wait).into(target, requirements)
            _prune(root)
        os.utime(target)
    packages = target / "packages"
    return Overlay(packages if packages.is_dir() else None, key)


@contextlib.contextmanager
def _only_one(root: Path, name: str, on_wait: Callable[[], None]) -> Iterator[None]:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (root / f"{name}.lock").open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                on_wait()
                time.sleep(_LOOK_S)
        yield


class _Build:
    """The build of one overlay."""

    def __init__(self, interpreter: Path, index_url: str, root: Path, on_wait: Callable[[], None]) -> None:
        self._python, self._root, self._on_wait = str(interpreter), root, on_wait
        self._index = ["--default-index", index_url] if index_url else []
        self._until = time.monotonic() + _TIMEOUT_S

    def into(self, target: Path, requirements: Sequence[str]) -> None:
        """Builds the overlay next to `target`, then moves it there as a whole."""
        folder = Path(tempfile.mkdtemp(prefix="new-", dir=self._root))
        try:
            missing = self._missing(folder, requirements)
            if missing:
                self._install(folder, missing)
            (folder / "done").touch()
            shutil.rmtree(target, ignore_errors=True)
            folder.rename(target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _missing(self, folder: Path, requirements: Sequence[str]) -> list[str]:
        """Returns the packages that the environment lacks, each pinned to a version that fits it."""
        have = folder / "have.txt"
        have.write_text(self._uv("freeze", "--python", self._python), encoding="utf-8")
        wanted = folder / "wanted.in"
        wanted.write_text("\n".join(requirements), encoding="utf-8")
        options = ["--no-header", "--no-annotate", "--only-binary", ":all:", "--constraint", str(have)]
        found = self._uv("compile", str(wanted), *options, "--python", self._python, *self._index)
        known = {line.strip().lower() for line in have.read_text(encoding="utf-8").splitlines()}
        return [line.strip() for line in found.splitlines() if line.strip() and line.strip().lower() not in known]

    def _install(self, folder: Path, missing: Sequence[str]) -> None:
        listed = folder / "missing.txt"
        listed.write_text("\n".join(missing), encoding="utf-8")
        options = ["--no-deps", "--only-binary", ":all:", "--link-mode", "copy", "--python", self._python]
        self._uv("install", "--target", str(folder / "packages"), *options, "-r", str(listed), *self._index)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if size > _MAX_BYTES:
            raise OverlayError(f"The packages take {size / 1e9:.1f} GB, the limit is {_MAX_BYTES / 1e9:.1f} GB.")

    def _uv(self, *arguments: str) -> str:
        """Runs `uv pip ...` and returns its output.

        Raises:
            OverlayError: uv failed or took too long.
        """
        environ = {name: value for name, value in os.environ.items() if _PASSED_ON.match(name)}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as words:
            command = [find_uv(), "pip", *arguments, "--quiet", "--no-progress", "--color", "never"]
            with subprocess.Popen(command, cwd=self._root, env=environ, stdout=out, stderr=words) as process:
                try:
                    self._await(process)
                finally:
                    if process.poll() is None:
                        process.kill()
            out.seek(0)
            words.seek(0)
            if process.returncode:
                raise OverlayError(_said(words.read().decode("utf-8", "replace")))
            return out.read().decode("utf-8", "replace")

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        while True:
            try:
                process.wait(_LOOK_S)
            except subprocess.TimeoutExpired:
                self._on_wait()
                if time.monotonic() > self._until:
                    raise OverlayError(f"Installing the packages took longer than {_TIMEOUT_S:g} s.") from None
            else:
                return


def _said(words: str) -> str:
    """Returns uv's reason as one paragraph, without the frame around it."""
    text = " ".join(_ANSI.sub("", words).translate(_FRAME).split())
    return f"The packages cannot be installed beside the environment's: {text[:1500]}"


def _prune(root: Path) -> None:
    """Removes all but the most recently used overlays. A running render keeps the files that it has open."""
    kept = sorted((path for path in root.iterdir() if (path / "done").exists()), key=lambda path: path.stat().st_mtime)
    for path in kept[:-MAX_KEPT]:
        shutil.rmtree(path, ignore_errors=True)
