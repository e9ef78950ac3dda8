"""Columnar files: Parquet, Arrow, Avro and ORC. pyarrow reads what polars does not support, column by column."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import polars as pl

from ..notes import Notes, listed
from .entities import Part
from .jsons import cell_text
from .kinds import HEAD_BYTES, NAMES, Kind, damaged

# The maximum for a decimal number in polars.
_DIGITS: Final = 38
_INDEX: Final = re.compile(r"__index_level_(\d+)__")


def open_columns(path: Path, kind: Kind) -> Part:
    """Opens a columnar file.

    Raises:
        ValueError: it is damaged, or no library can read it; the text is for people.
    """
    notes = Notes()
    frame = _by_polars(path, kind)
    if frame is None:
        frame = _by_pyarrow(path, kind, notes).lazy()
    return Part(frame=frame.rename(_index_names(frame.collect_schema().names())), notes=notes)


def _by_polars(path: Path, kind: Kind) -> pl.LazyFrame | None:
    """Returns a file's rows; None if polars does not support the file, or a type in it."""
    try:
        frame = _scan(path, kind)
        dtypes = frame.collect_schema().dtypes() if frame is not None else []
    except BaseException as error:  # (polars panics at unknown types)
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        return None
    if frame is None or any(isinstance(each, pl.Decimal) and (each.precision or 0) > _DIGITS for each in dtypes):
        return None
    # Extension types registered with Arrow are read as their storage types.
    kept = [pl.nth(at).ext.storage() for at, each in enumerate(dtypes) if isinstance(each, pl.BaseExtension)]
    return frame.with_columns(kept) if kept else frame


def _scan(path: Path, kind: Kind) -> pl.LazyFrame | None:
    if kind == "parquet":
        return pl.scan_parquet(path, glob=False, hive_partitioning=False)
    if kind == "arrow" and _is_experimental(path):
        return None
    if kind == "arrow":
        return pl.scan_ipc(path, glob=False, hive_partitioning=False)
    if kind == "stream":
        return pl.read_ipc_stream(path).lazy()
    if kind == "avro":
        return pl.read_avro(path).lazy()
    return None


def _is_experimental(path: Path) -> bool:
    """Whether a file uses Arrow's compression from before 1.0, from which polars reads wrong numbers."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - HEAD_BYTES))
        return b"ARROW:experimental_compression" in file.read()


def _by_pyarrow(path: Path, kind: Kind, notes: Notes) -> pl.DataFrame:
    try:
        table = _arrow_table(path, kind)
        names = table.column_names
    except ImportError:
        raise ValueError(f"{path.name} is {NAMES[kind]}, which no library of this environment can read.") from None
    except Exception:  # noqa: BLE001  (whatever a library makes of a broken file)
        raise damaged(path.name, NAMES[kind]) from None
    columns, unread, shown = [], [], []
    for name, column in zip(names, table.columns, strict=True):
        series = _series(name, column)
        if series is not None and series.dtype == pl.String and not str(column.type).endswith("string"):
            shown.append(f"{name} ({column.type})")
        if series is None:
            unread.append(f"{name} ({column.type})")
            series = pl.Series(name, [None] * len(column), dtype=pl.Null)
        columns.append(series)
    if shown:
        notes.add(f"Columns of unknown types are shown as text: {listed(shown)}.")
    if unread:
        notes.add(f"Columns of types that cannot be read here are empty: {listed(unread)}.")
    return pl.DataFrame(columns)


def _arrow_table(path: Path, kind: Kind) -> Any:
    import pyarrow as pa

    if kind == "parquet":
        from pyarrow import parquet

        return parquet.read_table(path, partitioning=None)
    if kind == "orc":
        from pyarrow import orc

        return orc.read_table(path)
    if kind in {"arrow", "stream"}:
        with pa.memory_map(str(path)) as file:
            return (pa.ipc.open_file if kind == "arrow" else pa.ipc.open_stream)(file).read_all()
    raise OSError(kind)


def _series(name: str, column: Any) -> pl.Series | None:
    """Returns one column, as text if polars lacks its type; None if that fails too."""
    is_wide = str(column.type).startswith("decimal256")
    for use in (_narrowed, _cast) if is_wide else (pl.from_arrow, _cast, _as_texts):
        try:
            found = use(column)
        except BaseException as error:  # (polars panics at unknown types)
            if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
                raise
        else:
            return found.alias(name) if isinstance(found, pl.Series) else None
    return None


def _narrowed(column: Any) -> Any:
    """Returns decimal numbers of a type wider than polars', if the values fit."""
    import pyarrow as pa

    return pl.from_arrow(column.cast(pa.decimal128(_DIGITS, column.type.scale)))


def _cast(column: Any) -> Any:
    return pl.from_arrow(column.cast("string"))


def _as_texts(column: Any) -> pl.Series:
    """Returns Python's values as text, for intervals, unions and other types of Arrow."""
    shown = [value._asdict() if hasattr(value, "_asdict") else value for value in column.to_pylist()]
    return pl.Series([cell_text(value) for value in shown], dtype=pl.String)


def _index_names(names: list[str]) -> dict[str, str]:
    """Returns new names for pandas' unnamed index columns, by their names."""
    levels = [name for name in names if _INDEX.fullmatch(name)]
    wanted = ["index"] if len(levels) == 1 else [f"index {at}" for at in range(1, len(levels) + 1)]
    return {level: name for level, name in zip(levels, wanted, strict=True) if name not in names}
