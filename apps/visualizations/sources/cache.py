"""Cache of fetched sources: each content once, by digest, up to a size; the least recently used are evicted.

An object is cached only if its store reports a version, and found only while the store reports the same one. Stores are
read with the portal's own credential, so anybody who may read an address may use the cached copy. A render gets a hard
link in its input directory; its sandbox allows reading it but not writing. docs/decisions/0017-source-cache.md says why
this is not fsspec's cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

# Eviction goes below the limit, so that not every render has to evict.
_LOW_WATER = 0.9


@dataclass(frozen=True, slots=True)
class Kept:
    """A cached file."""

    path: Path
    sha256: str
    size_bytes: int

    def link(self, target: Path) -> None:
        """Links the file at `target`.

        Raises:
            FileNotFoundError: the file was evicted meanwhile.
            FileExistsError: `target` exists.
        """
        os.link(self.path, target)


@dataclass(frozen=True, slots=True)
class SourceCache:
    """The cache below `root`, on the disk of the work directories; several processes may use it at once.

    Attributes:
        max_bytes: 0 caches nothing.
    """

    root: Path
    max_bytes: int

    def find(self, uri: str, version: str) -> Kept | None:
        """Returns the cached content of a version of an address; None if it is not cached."""
        if not version or not self.max_bytes:
            return None
        try:
            known = json.loads(self._mark(uri, version).read_text(encoding="ascii"))
            kept = Kept(self._blob(known["sha256"]), known["sha256"], known["size_bytes"])
            if kept.path.stat().st_size != kept.size_bytes:
                return None
            os.utime(kept.path)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return kept

    def keep(self, uri: str, version: str, path: Path, sha256: str) -> None:
        """Caches a fetched file. Best effort: a full disk must not fail a render that has its source."""
        size_bytes = path.stat().st_size
        if size_bytes > self.max_bytes:
            return
        with contextlib.suppress(OSError):
            self._blob(sha256).parent.mkdir(parents=True, exist_ok=True)
            self._mark(uri, version).parent.mkdir(parents=True, exist_ok=True)
            # Nothing may write to it any more: the render has the very same file.
            path.chmod(0o400)
            with contextlib.suppress(FileExistsError):
                os.link(path, self._blob(sha256))
            self._write(self._mark(uri, version), json.dumps({"sha256": sha256, "size_bytes": size_bytes}))
            self.prune()

    def prune(self) -> int:
        """Evicts the least recently used files if the limit is exceeded; returns how many bytes that freed."""
        blobs = [(each.stat().st_mtime, each.stat().st_size, each) for each in self._files("blobs")]
        total = sum(size for _, size, _ in blobs)
        freed = 0
        if total <= self.max_bytes:
            return 0
        for _, size, path in sorted(blobs):
            if total - freed <= self.max_bytes * _LOW_WATER:
                break
            path.unlink(missing_ok=True)
            freed += size
        for mark in self._files("marks"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                if not self._blob(json.loads(mark.read_text(encoding="ascii"))["sha256"]).exists():
                    mark.unlink(missing_ok=True)
        return freed

    def _files(self, name: str) -> list[Path]:
        folder = self.root / name
        return [each for each in folder.iterdir() if each.is_file()] if folder.is_dir() else []

    def _blob(self, sha256: str) -> Path:
        return self.root / "blobs" / sha256

    def _mark(self, uri: str, version: str) -> Path:
        return self.root / "marks" / hashlib.sha256(f"{uri}\0{version}".encode()).hexdigest()

    def _write(self, path: Path, text: str) -> None:
        descriptor, name = tempfile.mkstemp(dir=self.root)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        Path(name).replace(path)
