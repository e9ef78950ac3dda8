"""Packed files: unpacks them into temporary files, up to a maximum size."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

from ..files import is_beside_data, scratch_dir
from ..notes import counted, listed
from .kinds import damaged, no_table

# A packed file of a few kilobytes may unpack to terabytes.
MAX_BYTES: Final = 4 * 1024**3
_PIECE: Final = 1024**2
_WORKBOOK: Final = "[Content_Types].xml"


def unpacked(path: Path, packing: str) -> Path:
    """Returns a file with the unpacked content, named like the packed file without its last suffix.

    Raises:
        ValueError: it is damaged, contains several files, or too much; the text is for people.
    """
    folder = scratch_dir("unpacked-")
    suffixes = {".gz", ".zst", ".zstd", ".bz2", ".xz", ".zip"}
    copy = folder / (path.stem if path.suffix.lower() in suffixes else path.name)
    try:
        with _opened(path, packing) as packed, copy.open("wb") as file:
            _copy(packed, file, path.name)
    except (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as error:
        # Lack of space or a limit of the machine is not the file's fault.
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES}:
            raise
        raise damaged(path.name, f"{packing}-packed data") from None
    return copy


def _copy(packed: Any, file: Any, name: str) -> None:
    left = MAX_BYTES
    while piece := packed.read(_PIECE):
        left -= len(piece)
        if left < 0:
            raise ValueError(f"{name} holds more than {MAX_BYTES // 1024**3} GB when it is unpacked, too much to read.")
        file.write(piece)


def _opened(path: Path, packing: str) -> Any:
    if packing == "gzip":
        return gzip.open(path)
    if packing == "bzip2":
        return bz2.open(path)
    if packing == "xz":
        return lzma.open(path)
    return _member(path) if packing == "zip" else _zstd(path)


def _member(path: Path) -> Any:
    archive = zipfile.ZipFile(path)
    names = archive.namelist()
    if _WORKBOOK in names:
        raise no_table(path.name, "an Office document, such as an Excel workbook; save its sheet as CSV")
    members = [each for each in names if not each.endswith("/") and not is_beside_data(Path(each))]
    if len(members) != 1:
        what = f"{counted(len(members), 'file')}: {listed(members)}" if members else "no file"
        raise ValueError(f"{path.name} is a ZIP archive with {what}; a table is read from an archive of one file.")
    return archive.open(members[0])


def _zstd(path: Path) -> Any:
    """Opens Zstandard with whichever library is installed: Python has none before 3.14."""
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]

        return zstd.open(path)
    except ImportError:
        pass
    try:
        import pyarrow as pa

        return pa.CompressedInputStream(str(path), "zstd")
    except ImportError:
        raise ValueError(f"{path.name} is packed by Zstandard, which cannot be unpacked here. Use gzip.") from None
