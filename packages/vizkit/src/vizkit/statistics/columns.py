"""Describes one column: its type as TFDV detects it, and its figures."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from . import quantiles as q
from .model import Feature, Frequency, Numbers, Texts, no_numbers

_TOP: Final = 20
_RANKS: Final = 1000
_WHOLE: Final = r"^[+-]?\d+(?:_\d+)*$"


def describe(name: str, column: Any) -> Feature:
    """Describes one column, a polars series: texts as read from CSV, or values of any type."""
    import polars as pl

    rows = len(column)
    if isinstance(column.dtype, pl.List | pl.Array):
        return _describe_lists(name, column)
    kind, values = _typed(column)
    values = values.drop_nulls()
    each = 1 if len(values) else 0
    return Feature(
        name=name,
        type=kind,
        count=len(values),
        missing=rows - len(values),
        values=len(values),
        fewest=each,
        most=each,
        **_figures(kind, values),
    )


def _describe_lists(name: str, column: Any) -> Feature:
    import polars as pl

    if isinstance(column.dtype, pl.Array):
        column = column.arr.to_list()
    present = column.drop_nulls()
    lengths = present.list.len()
    kind, values = _typed(present.explode().drop_nulls())
    values = values.drop_nulls()
    return Feature(
        name=name,
        type=kind,
        count=len(present),
        missing=len(column) - len(present),
        values=len(values),
        fewest=int(lengths.min() or 0),
        most=int(lengths.max() or 0),
        **_figures(kind, values),
    )


def _figures(kind: str, values: Any) -> dict[str, Any]:
    if kind == "STRING":
        return {"texts": _texts(values)}
    return {"numbers": _numbers(values)} if len(values) else {}


# --- Types ------------------------------------------------------------------------------------------------------


def _typed(column: Any) -> tuple[str, Any]:
    """Returns a column's type, and its values with that type; empty texts are missing."""
    import polars as pl

    kind = column.dtype
    if kind == pl.String:
        return _typed_texts(column.set(column == "", None))
    if kind == pl.Boolean or kind.is_integer():
        return "INT", column.cast(pl.Int64, strict=False)
    if kind.is_numeric():
        return "FLOAT", column.cast(pl.Float64)
    return "STRING", as_texts(column)


def as_texts(column: Any) -> Any:
    """Returns a column's values as text, whatever their type."""
    import polars as pl

    from ..cells import as_text

    if column.dtype == pl.Binary:
        texts = [None if each is None else each.decode("utf-8", "replace") for each in column]
    elif column.dtype.is_nested():
        texts = [None if each is None else str(each) for each in column]
    else:
        return as_text(column)
    return pl.Series(column.name, texts, dtype=pl.String)


def _typed_texts(texts: Any) -> tuple[str, Any]:
    import polars as pl

    present = texts.drop_nulls()
    if not len(present):
        # TFDV does not determine a type without values either.
        return "STRING", texts
    bare = present.str.strip_chars()
    whole = bare.cast(pl.Int64, strict=False)
    rest = bare.filter(whole.is_null())
    if not len(rest):
        return "INT", whole
    numbers = bare.cast(pl.Float64, strict=False)
    odd = present.filter(numbers.is_null() | (whole.is_null() & bare.str.contains(_WHOLE)))
    other = _python_numbers(odd)
    if other is None:
        return "STRING", texts
    if odd.is_empty():
        return "FLOAT", numbers.cast(pl.Float32)
    kind = "INT" if all(isinstance(each, int) for each in other.values()) and len(rest) == len(odd) else "FLOAT"
    # TFDV keeps the fractions of a CSV file in 32 bits.
    dtype = pl.Int64 if kind == "INT" else pl.Float32
    replaced = present.replace_strict(list(other), list(other.values()), default=None, return_dtype=dtype)
    plain = whole if kind == "INT" else numbers.cast(pl.Float32)
    return kind, replaced.zip_with(replaced.is_not_null(), plain)


def _python_numbers(texts: Any) -> dict[str, float] | None:
    """Returns the numbers that only Python recognizes in some texts, such as 1_000; None if a text is not a number."""
    found: dict[str, float] = {}
    for text in texts.unique(maintain_order=True):
        try:
            value: float = int(text)
        except ValueError:
            try:
                value = float(text)
            except ValueError:
                return None
        else:
            if not -(2**63) <= value < 2**63:
                return None
        found[text] = value
    return found


# --- Figures ----------------------------------------------------------------------------------------------------


def _texts(values: Any) -> Texts:
    import polars as pl

    if not len(values):
        return Texts(unique=0, avg_length=0.0)
    counts = values.alias("value").value_counts(name="count")
    first = counts.sort(["count", "value"], descending=True).head(_RANKS)
    ranks = tuple(Frequency(value=value, count=float(count)) for value, count in first.iter_rows())
    length = float(values.str.len_bytes().cast(pl.Float64).sum()) / len(values)
    return Texts(unique=len(counts), avg_length=length, top=ranks[:_TOP], ranks=ranks)


def _numbers(values: Any) -> Numbers:
    import polars as pl

    array = values.cast(pl.Float64).to_numpy()
    nan = int(np.isnan(array).sum())
    array = array[~np.isnan(array)] if nan else array
    if not len(array):
        return no_numbers(nan)
    with np.errstate(invalid="ignore", over="ignore"):
        mean, variance = float(np.mean(array)), float(np.var(array))
    # TFDV has no mean if values are infinite.
    mean = mean if math.isfinite(mean) else math.nan
    finite = array[np.isfinite(array)]
    distinct, counts = np.unique(array, return_counts=True)
    found = q.find_quantiles(distinct, counts)
    limits = (float(finite.min()), float(finite.max())) if len(finite) else (math.inf, -math.inf)
    standard = q.standard_histogram(
        found, finite_min=limits[0], finite_max=limits[1], infinite=int(np.isposinf(array).sum())
    )
    return Numbers(
        mean=mean,
        std_dev=math.sqrt(max(0.0, variance)),
        zeros=int((array == 0).sum()),
        min=float(distinct[0]),
        median=found.median,
        max=float(distinct[-1]),
        standard=standard,
        quantiles=q.quantiles_histogram(found),
        nan=nan,
    )
