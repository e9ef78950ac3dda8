"""The library scripts and style sheets that exported pages refer to, and how to inline them into a page.

An exported page refers to `/assets/<sha256>.(js|css)` instead of holding megabytes of library code. The caller that
shows a page serves these files (`asset_paths`) or inlines them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

from renderer.environments import PAGE_ASSETS_DIR, assets_dir

CONTENT_TYPES: Final = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
# Quoted only: an attribute or a string in a script. Text that merely mentions an address stays as it is. The pattern
# starts with its rarest part and checks the opening quote afterwards, which is seven times as fast.
_REFERENCE: Final = re.compile(rb"""/assets/([0-9a-f]{64})\.(js|css)(?=\\?(["']))""")
_NAME: Final = re.compile(r"[0-9a-f]{64}\.(?:js|css)")
# One byte less than the longest reference with its closing quote: the most that has to wait for the next chunk.
_HELD_BYTES: Final = len("\"/assets/.css\\'") + 64 - 1
# The libraries of a page total about 10 MB. A page that names one a million times must not fill the reader's disk.
MAX_INLINED_BYTES: Final = 256 * 1024**2


class Asset(Protocol):
    """One file: its size, and its bytes in chunks when iterated."""

    @property
    def size_bytes(self) -> int:
        """The size of the whole file."""

    def __iter__(self) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class LocalAsset:
    """A file on this machine."""

    path: Path

    @property
    def size_bytes(self) -> int:
        """The size of the whole file."""
        return self.path.stat().st_size

    def __iter__(self) -> Iterator[bytes]:
        yield self.path.read_bytes()


def asset_paths(interpreter: Path, folders: Iterable[Path] = ()) -> dict[str, Path]:
    """Returns the files that pages of an environment may refer to, by `<sha256>.<js or css>`.

    Args:
        interpreter: the environment's Python.
        folders: additional folders with such files, such as a toolkit's. The files of every page are always included.
    """
    collected = assets_dir(interpreter)
    found = {path.name: path for path in collected.glob("*.*") if _NAME.fullmatch(path.name)}
    own = (path for folder in (PAGE_ASSETS_DIR, *folders) for path in sorted(folder.iterdir()))
    return found | {f"{sha256(path.read_bytes()).hexdigest()}{path.suffix}": path for path in own}


def inline_assets(chunks: Iterable[bytes], open_asset: Callable[[str, str], Asset | None]) -> Generator[bytes]:
    """Yields a page with every reference to an asset replaced by the asset itself, as a `data:` URL.

    Holds only a few chunks in memory, whatever the size of the page and wherever it is split. References beyond
    MAX_INLINED_BYTES of inlined assets stay as they are.

    Args:
        open_asset: called with a SHA-256 in hexadecimal and "js" or "css"; None leaves the reference as it is.
    """
    held, left = b"", MAX_INLINED_BYTES
    for chunk in chunks:
        text = held + chunk
        position = 0
        for match in _REFERENCE.finditer(text):
            is_quoted = text[match.start() - 1 : match.start()] == match[3]
            asset = open_asset(match[1].decode(), match[2].decode()) if is_quoted and left > 0 else None
            if asset is None:
                continue
            left -= asset.size_bytes
            yield text[position : match.start()]
            yield from _data_url(asset, match[2].decode())
            position = match.end()
        keep = max(position, len(text) - _HELD_BYTES)
        yield text[position:keep]
        held = text[keep:]
    yield held


def _data_url(asset: Asset, kind: str) -> Iterator[bytes]:
    yield f"data:{CONTENT_TYPES[kind].replace(' ', '')};base64,".encode()
    rest = b""
    for chunk in asset:
        content = rest + chunk
        cut = len(content) - len(content) % 3
        yield base64.b64encode(content[:cut])
        rest = content[cut:]
    yield base64.b64encode(rest)
