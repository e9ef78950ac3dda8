"""A source's rows as one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any, Final, TypeVar

import polars as pl

from .. import files
from ..dialect import How
from ..notes import Notes
from . import folders, kinds, unpack, values
from .columnar import open_columns
from .columns import SHOWN_COLUMNS, describe, find_name
from .delimited import open_text
from .entities import Part, Rows
from .jsons import open_json

_SHOWN_FAULTS: Final = 3
_MANY_ROWS: Final = 100_000
_TASTE_ROWS: Final = 10_000
Result = TypeVar("Result")


@dataclass(slots=True, kw_only=True)
class Table:
    """A source's rows, not read yet.

    Attributes:
        frame: the rows; for text files every column is the file's own text.
        names: of the columns, unique.
        label: the name of the source for people.
        readings: columns of text whose numbers have another notation; see `Part`.
        rows: for JSON, yields rows whose fractions remember how they were written.
        nested: columns that contain JSON as text.
        has_header: whether the files name their columns.
        notes: what was assumed, and what is missing.
    """

    frame: pl.LazyFrame
    names: list[str]
    label: str
    is_text: bool
    has_header: bool
    readings: Mapping[str, str] = field(default_factory=dict)
    rows: Rows | None = None
    nested: frozenset[str] = frozenset()
    notes: Notes = field(default_factory=Notes)
    known_total: int | None = None
    scan: Callable[[Mapping[str, Any]], pl.LazyFrame] | None = None

    @property
    def total(self) -> int:
        """The number of rows."""
        if self.known_total is None:
            self.known_total = int(self.select(pl.len()).item())
        return self.known_total

    def by_place(self, names: Sequence[str]) -> pl.LazyFrame:
        """Returns columns named by position, because polars would take some names for patterns."""
        chosen = self.frame.select(pl.selectors.by_name(*names)) if names else self.frame.select()
        return chosen.rename({name: str(at) for at, name in enumerate(names)})

    def select(self, *expressions: pl.Expr, from_frame: pl.LazyFrame | None = None) -> pl.DataFrame:
        """Evaluates expressions over the rows, in one pass that need not keep them all in memory.

        Raises:
            ValueError: the file is damaged; the text is for people.
        """
        frame = self.frame if from_frame is None else from_frame
        try:
            return frame.select(expressions).collect(engine="streaming")
        # A panic of polars is not an Exception; files damaged in their middle cause some.
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, UnicodeError, OSError):
            raise ValueError(f"{self.label} is damaged, so it cannot be read as a table to its end.") from None

    def rows_of(self, start: int, count: int) -> pl.DataFrame:
        """Returns some rows, with the file's own types.

        Raises:
            ValueError: the file is damaged.
        """
        return self.select(pl.all(), from_frame=self.frame.slice(start, count))

    def with_numbers(self, use: Callable[[Table], Result]) -> Result:
        """Calls `use` with this table; if it is large text, with its numbers parsed by polars.

        That is several times as fast, and relies on a sample of each column; if a later value is not such a number,
        `use` gets the text.
        """
        if self.scan is None or self.total < _MANY_ROWS:
            return use(self)
        taste = self.select(pl.all(), from_frame=self.by_place(self.names).head(_TASTE_ROWS))
        kinds = {name: _number_type(column) for name, column in zip(self.names, taste.get_columns(), strict=True)}
        types = {name: kind for name, kind in kinds.items() if kind is not None and name not in self.readings}
        try:
            return use(replaced(self, frame=self.scan(types), scan=None))
        except ValueError:
            return use(self)

    def collect(self, names: Sequence[str] | None = None, *, with_dates: bool = False) -> pl.DataFrame:
        """Returns columns with all their rows; converts text to numbers, booleans or text.

        Args:
            names: which columns; None for all.
            with_dates: whether text that is a date becomes one.

        Raises:
            ValueError: a column is missing, there are no rows, or the file is damaged.
        """
        chosen = list(self.names if names is None else dict.fromkeys(names))
        for name in chosen:
            self.require(name)
        found = self.with_numbers(lambda table: table.select(pl.all(), from_frame=table.by_place(chosen)))
        found.columns = chosen
        if found.is_empty():
            raise ValueError("The file has no rows.")
        self.known_total = found.height
        if not self.is_text:
            return found
        return pl.DataFrame([self._typed(each, with_dates=with_dates) for each in found.get_columns()])

    def _typed(self, column: pl.Series, *, with_dates: bool) -> pl.Series:
        if column.dtype != pl.String:
            return column
        found = values.typed(column, self.readings.get(column.name, ""), with_dates=with_dates)
        self.notes.add(values.note_on(column) if found.dtype == pl.String else "")
        return found

    def require(self, name: str) -> None:
        """Raises ValueError if a column does not exist; the text lists the existing ones."""
        if name not in self.names:
            raise ValueError(f'Column "{name}" is not in the file. {self.describe()}')

    def find(self, wanted: Iterable[str], *, given: str = "") -> str:
        """Returns the given column, or the first existing one of some usual names; "" for none.

        Ignores case, spaces and hyphens in usual names: "True Label" and "trueLabel" match true_label.

        Raises:
            ValueError: the given column does not exist.
        """
        if given:
            self.require(given)
            return given
        return find_name(self.names, wanted)

    def describe(self) -> str:
        """Returns a sentence about the columns: their names, types and one value each."""
        shown = self.names[:SHOWN_COLUMNS]
        first = self.select(pl.all(), from_frame=self.by_place(shown).head(50))
        first.columns = shown
        if self.is_text:
            first = pl.DataFrame([values.typed(each, self.readings.get(each.name, "")) for each in first.get_columns()])
        return describe(first, self.names[SHOWN_COLUMNS:])


def _number_type(texts: pl.Series) -> pl.DataType | None:
    """Returns the type of a column of plain numbers; None if its text may be more than that.

    Digits of equal length, such as post codes, may begin with a zero further down.
    """
    made = values.typed(texts).dtype
    lengths = texts.str.len_bytes()
    if made == pl.Float64:
        return made
    return made if made == pl.Int64 and (lengths.n_unique() > 1 or lengths.max() == 1) else None


def read(source: str, source_uri: str = "", how: How | None = None) -> Table:
    """Returns the rows of all files of a source, concatenated; columns are matched by name.

    A folder's schema.json names the columns of headerless text, as in Kubeflow; path components such as `year=2024` are
    columns, as in Hive and Spark.

    Raises:
        ValueError: no source, an empty file, or no table; the text is for people.
    """
    paths = files.source_files(source, source_uri)
    how = how or How()
    if not how.names:
        how = replaced(how, names=tuple(files.schema_names(source) or ()))
    return read_files(paths, source_uri or source, how, root=Path(source))


def read_files(paths: Sequence[Path], label: str, how: How | None = None, *, root: Path = Path()) -> Table:
    """Returns the rows of some files, like `read`.

    Args:
        paths: the files.
        label: their name for people.
        how: what a person specifies about them.
        root: the folder below which path components may be columns.
    """
    how = how or How()
    paths = [path for path in paths if path.stat().st_size]
    paths = [path for path in folders.current(paths, root) if not folders.is_hidden(path, root)] or paths
    if not paths:
        raise ValueError("The file is empty.")
    if how.has_header is None and not how.names:
        how = replaced(how, has_header=folders.has_header(paths))
    parts, faults = {}, []
    for path in paths:
        try:
            part = parts[path] = _open(path, how)
        except ValueError as error:
            faults.append(error)
            continue
        # All files have a header, or none has, like the first.
        if part.is_text and how.has_header is None and not how.names:
            how = replaced(how, has_header=part.has_header)
    if not parts:
        raise faults[0]
    notes = Notes([f"Left out: {error}" for error in faults[:_SHOWN_FAULTS]])
    if len(faults) > _SHOWN_FAULTS:
        notes.add(f"{len(faults) - _SHOWN_FAULTS:,} more files are left out for similar reasons.")
    chosen = folders.of_one_table(parts, notes)
    keys = folders.keys_of(list(chosen), root)
    return _joined([folders.with_keys(part, keys[path]) for path, part in chosen.items()], label, notes)


def _open(path: Path, how: How) -> Part:
    head = kinds.head_of(path)
    packing = kinds.packing_of(head)
    if packing:
        path = unpack.unpacked(path, packing)
        head = kinds.head_of(path)
        if not head:
            raise ValueError("The file is empty.")
        if kinds.packing_of(head):
            raise kinds.no_table(path.name, "packed twice")
    kind = kinds.kind_of(head, path, is_text=bool(how.encoding))
    if kind == "text":
        return open_text(path, head, how)
    return open_json(path, head) if kind == "json" else open_columns(path, kind)


def _joined(parts: Sequence[Part], label: str, notes: Notes) -> Table:
    notes.extend(sentence for part in parts for sentence in part.notes)
    is_text = all(part.is_text for part in parts)
    if not is_text and any(part.is_text for part in parts):
        # Next to typed columns, text is converted to its types.
        parts = [folders.with_types(part) if part.is_text else part for part in parts]
    frames = [part.frame for part in parts]
    frame = pl.concat(frames, how="diagonal_relaxed") if len(frames) > 1 else frames[0]
    try:
        names = frame.collect_schema().names()
    except pl.exceptions.PolarsError:
        raise ValueError(f"The files of {label} have columns with the same name and different types.") from None
    if not names:
        raise ValueError("The file has no rows.")
    totals = [part.total for part in parts]
    return Table(
        frame=frame,
        names=names,
        label=label,
        is_text=is_text,
        has_header=parts[0].has_header,
        readings={name: reading for part in parts for name, reading in part.readings.items()} if is_text else {},
        rows=_chained([part.rows for part in parts if part.rows]) if all(part.rows for part in parts) else None,
        nested=frozenset().union(*(part.nested for part in parts)),
        notes=notes,
        scan=parts[0].scan if len(parts) == 1 else None,
        known_total=None if None in totals else sum(each or 0 for each in totals),
    )


def _chained(readers: Sequence[Callable[[int], Any]]) -> Rows:
    def rows(count: int) -> Any:
        for each in readers:
            for row in each(count):
                if count <= 0:
                    return
                count -= 1
                yield row

    return rows
