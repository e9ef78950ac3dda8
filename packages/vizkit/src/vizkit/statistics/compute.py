"""Statistics of CSV and Parquet files by polars, with the figures that TFDV 1.16 gives for the same file.

A column's type is found as TFDV finds it: INT where each value is a whole number that fits 64 bits, FLOAT where each is
a number, STRING otherwise; an empty cell is a missing value. Where TFDV estimates quantiles (above some thousand
distinct values), these are exact.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ..files import find_delimiter, find_format, source_files
from .columns import describe
from .model import Dataset, Feature
from .read import split_of

# Columns are read in groups, so that a file of any size fits: each group is one pass over the file.
_GROUP_BYTES: Final = 256 * 1024**2
# Each is a data set, and they have to be told apart.
_MAX_GROUPS: Final = 8
_CHUNK: Final = 4 * 1024**2


def compute_statistics(
    source: str, source_uri: str = "", *, features: Sequence[str] = (), split_by: str = "", max_rows: int = 0
) -> list[Dataset]:
    """Returns the statistics of a source's tables: all files together, or those of each split (`Split-train/...`).

    Args:
        features: the columns to describe; none for all.
        split_by: a column whose values make data sets of their own.
        max_rows: only so many of the first rows; 0 for all.

    Raises:
        ValueError: no table, no rows, no such column; the text is for people.
    """
    import polars as pl

    splits: dict[str, list[Path]] = {}
    for path in source_files(source, source_uri):
        splits.setdefault("" if split_by else split_of(path), []).append(path)
    try:
        if split_by:
            return _by_group(_table(splits[""], max_rows), features, split_by)
        return [_whole(split or "all rows", paths, features, max_rows) for split, paths in splits.items()]
    except (pl.exceptions.PolarsError, UnicodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{source_uri or source} cannot be read as a table: {reason}") from None


def _table(paths: list[Path], max_rows: int) -> Any:
    import polars as pl

    table = pl.concat([_scan(path) for path in paths], how="vertical") if len(paths) > 1 else _scan(paths[0])
    return table.head(max_rows) if max_rows else table


def _whole(name: str, paths: list[Path], features: Sequence[str], max_rows: int) -> Dataset:
    import polars as pl

    table = _table(paths, max_rows)
    names = table.collect_schema().names()
    chosen = _chosen(names, features, "")
    total = int(table.select(pl.len()).collect().item())
    if not total:
        raise ValueError("The file has no rows.")
    places = _groups(
        [names.index(name) for name in chosen], sum(path.stat().st_size for path in paths) // max(1, len(names))
    )
    return Dataset(name=name, examples=total, features=tuple(_described(table, names, places)))


def _scan(path: Path) -> Any:
    import polars as pl

    kind = find_format(path)
    if kind == "parquet":
        return pl.scan_parquet(path)
    if kind == "arrow":
        return pl.scan_ipc(path)
    if kind == "json":
        return pl.scan_ndjson(path)
    if not path.stat().st_size:
        raise ValueError(f"{path.name} is empty.")
    with path.open("rb") as file:
        path = _unpacked(path) if file.read(2) == b"\x1f\x8b" else path
    separator = find_delimiter(path)
    whole = _without_blank_lines(path) if _has_blank_lines(path) else path
    return pl.scan_csv(whole, separator=separator, infer_schema=False, encoding="utf8-lossy")


def _unpacked(path: Path) -> Path:
    copy = Path(tempfile.mkdtemp(), path.stem)
    try:
        with gzip.open(path) as file, copy.open("wb") as unpacked:
            shutil.copyfileobj(file, unpacked, _CHUNK)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise ValueError(f"{path.name} is damaged: it cannot be decompressed.") from None
    return copy


def _has_blank_lines(path: Path) -> bool:
    last = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            text = last + chunk
            if b"\n\n" in text or b"\n\r\n" in text:
                return True
            last = text[-2:]
    return False


def _without_blank_lines(path: Path) -> Path:
    """Returns a copy without the lines that TFDV skips; polars would make rows of them. In quotes they are data."""
    copy = Path(tempfile.mkdtemp(), "rows.csv")
    in_quotes = False
    with path.open("rb") as file, copy.open("wb") as rows:
        for line in file:
            if in_quotes or line.strip(b"\r\n"):
                rows.write(line)
            in_quotes ^= bool(line.count(b'"') & 1)
    return copy


def _chosen(names: Sequence[str], features: Sequence[str], split_by: str) -> list[str]:
    missing = [name for name in [*features, *filter(None, [split_by])] if name not in names]
    if missing:
        raise ValueError(f'Column "{missing[0]}" is not in the file. Columns found: {", ".join(names[:40])}.')
    return [name for name in names if (name in features or not features) and name != split_by]


def _groups(places: list[int], column_bytes: int) -> Iterator[list[int]]:
    size = max(1, _GROUP_BYTES // max(1, column_bytes))
    for start in range(0, len(places), size):
        yield places[start : start + size]


def _by_place(table: Any, names: list[str]) -> Any:
    """Names columns by their places: any name is data, and polars would take some for patterns."""
    return table.rename({name: str(at) for at, name in enumerate(names)})


def _described(table: Any, names: list[str], groups: Iterator[list[int]]) -> Iterator[Feature]:
    plain = _by_place(table, names)
    for places in groups:
        frame = plain.select([str(at) for at in places]).collect(engine="streaming")
        for at in places:
            yield describe(names[at], frame.get_column(str(at)))


def _by_group(table: Any, features: Sequence[str], split_by: str) -> list[Dataset]:
    import polars as pl

    names = table.collect_schema().names()
    chosen = _chosen(names, features, split_by)
    frame = _by_place(table, names).select([str(names.index(name)) for name in [split_by, *chosen]]).collect()
    groups = frame.get_column(str(names.index(split_by))).cast(pl.String)
    values = groups.unique().to_list()
    if len(values) > _MAX_GROUPS:
        raise ValueError(
            f'Column "{split_by}" has more than {_MAX_GROUPS} values; each would be a data set of its own.'
        )
    if not values:
        raise ValueError("The file has no rows.")
    found = []
    for value in sorted(values, key=lambda each: (each is None, each)):
        part = frame.filter(groups.is_null() if value is None else groups == value)
        described = tuple(describe(name, part.get_column(str(names.index(name)))) for name in chosen)
        found.append(Dataset(name="(missing)" if value is None else value, examples=len(part), features=described))
    return found
