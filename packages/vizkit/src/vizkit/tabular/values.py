"""Converts text to the values that it represents. A column is numeric only if all its values are."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from ..headers import MISSING
from ..notes import counted

# A column with fewer words than one in this many values is probably meant to be numeric.
_WORDS_ONE_IN: Final = 5
_TASTE: Final = 10
# Cells of spaces only; testing against a list is several times as fast as stripping every cell.
_BLANK: Final = ("", "\t", *(" " * count for count in range(1, 17)))
_NAN: Final = ("NaN", "nan", "-NaN", "-nan")
# 00123 is a name, such as a post code, not a number.
NAME_OF_DIGITS: Final = r"^\s*[+-]?0[0-9]"
# `\s` also matches non-breaking spaces; in India, groups of two digits follow the thousands.
_DECIMAL_COMMA: Final = r"^[+-]?(?:\d{1,3}(?:[.'\u2019\s]\d{3})+|\d+)(?:,\d+)?$"
_THOUSANDS: Final = r"^[+-]?(?:\d{1,3}(?:[,'\u2019\s]\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}|\d+)(?:\.\d+)?$"
_POINTED: Final = r"^[+-]?\d{1,3}(?:\.\d{3})*$"
_POINTED_TWICE: Final = r"^[+-]?\d{1,3}(?:\.\d{3}){2,}$"
# This many digits in groups, the same number in every row, form a name, such as a telephone number or an IP address.
_NAME_DIGITS: Final = 9
# Signs next to a number that are not part of it; accountants put negative numbers in parentheses.
_SIGN: Final = r"[%‰$€£¥₹]|\b(?:USD|EUR|GBP|CHF)\b"
_NEGATIVE: Final = r"^\((.*)\)$"
_FORMS: Final = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%d %H:%M", "%Y/%m/%d",
    "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S",
)  # fmt: skip


def floats(column: pl.Series) -> pl.Series:
    """Returns a column's values as numbers; null for values that are not. Lists, bytes and objects never are.

    Numbers stored as text or categories are parsed. A plain cast fails for categories, bytes and lists.
    """
    kind = column.dtype
    if isinstance(kind, pl.Categorical | pl.Enum):
        column = column.cast(pl.String)
    elif kind.is_nested() or isinstance(kind, pl.Binary | pl.Object):
        return pl.Series(column.name, [None], dtype=pl.Float64).new_from_index(0, len(column))
    return column.cast(pl.Float64, strict=False)


def there(column: pl.Expr) -> pl.Expr:
    """Returns a column's texts, with null for texts that mean a missing value."""
    return pl.when(~column.is_in((*MISSING, *_BLANK))).then(column)


def bare(column: pl.Expr, reading: str = "") -> pl.Expr:
    """Returns texts in the notation from which polars parses numbers.

    Args:
        column: of texts.
        reading: the decimal mark; the other mark separates thousands, and percent and currency signs are dropped. ""
            for plain numbers.
    """
    column = column.str.strip_chars()
    if not reading:
        return column
    column = _unsigned(column).str.replace_all(r"[.'\u2019\s]" if reading == "," else r"[,'\u2019\s]", "")
    return column.str.replace(",", ".", literal=True) if reading == "," else column


def _unsigned(column: Any) -> Any:
    column = column.str.replace(_NEGATIVE, "-${1}").str.replace_all(_SIGN, "").str.strip_chars()
    return column.str.replace("\u2212", "-", literal=True)


def has_signs(texts: pl.Series) -> bool:
    """Whether numbers have percent or currency signs, a typographic minus, or parentheses."""
    if texts.str.contains(_NEGATIVE).all():
        # (1), (2), (3) number paragraphs.
        return False
    return bool(texts.str.contains(rf"{_SIGN}|\u2212|{_NEGATIVE}").any())


def find_reading(texts: pl.Series, delimiter: str, decimal: str) -> str:
    """Returns the decimal mark of numbers that polars would not parse: "," or "."; "" if they are plain.

    Args:
        texts: a sample of a column.
        delimiter: of the file.
        decimal: the mark that a person specified.
    """
    known = _known(texts)
    is_signed = has_signs(known)
    known = _unsigned(known) if is_signed else known
    if not len(known) or not known.str.contains(r"^[+-]?\d").all() or _are_names(known):
        return ""
    if not known.str.contains(r"[,'\u2019\s]").any() and not is_signed:
        is_comma = known.str.contains(_DECIMAL_COMMA).all() and known.str.contains(".", literal=True).any()
        is_told = decimal == "," or (not decimal and known.str.contains(_POINTED_TWICE).any())
        return "," if is_comma and is_told else ""
    is_comma, is_point = known.str.contains(_DECIMAL_COMMA).all(), known.str.contains(_THOUSANDS).all()
    if decimal:
        return decimal if (is_comma if decimal == "," else is_point) else ""
    # If commas separate the columns, a quoted "1,234" has thousands; if semicolons do, 1,234 has a decimal comma.
    order = ((".", is_point), (",", is_comma)) if delimiter == "," else ((",", is_comma), (".", is_point))
    if is_point and not known.str.contains(",", literal=True).any():
        return "."
    return next((mark for mark, fits in order if fits), "")


def _are_names(known: pl.Series) -> bool:
    digits = known.str.replace_all(r"[.,'\u2019\s]", "").str.len_chars()
    is_grouped = known.str.contains(r"^\d{1,3}(?:[.,'\u2019\s]\d{3})+$").all()
    return bool(is_grouped and len(known) > 1 and digits.n_unique() == 1 and (digits >= _NAME_DIGITS).all())


def has_pointed_thousands(texts: pl.Series) -> bool:
    """Whether all may be whole numbers with points between thousands: 1.234, if other columns have 1,5."""
    known = _known(texts)
    return bool(known.str.contains(_POINTED).all() and known.str.contains(".", literal=True).any())


def is_mixed(there: int, numbers: int) -> bool:
    """Whether only a few of a column's values are not numbers."""
    return 0 < there - numbers <= max(there // _WORDS_ONE_IN, there > 2)


def mixed_note(name: str, there: int, numbers: int, word: str) -> str:
    """Returns a sentence about the words that prevent a column from being numeric.

    Args:
        name: of the column.
        there: the number of its values.
        numbers: how many of them are numbers.
        word: the first that is not.
    """
    bad = there - numbers
    verb = "is not a number" if bad == 1 else "are not numbers"
    return f'"{name}" is read as text: {counted(bad, "value")} of {there:,} {verb}, such as "{word[:40]}".'


def note_on(text: pl.Series) -> str:
    """Returns `mixed_note` for a column of text."""
    known = _select(text, there(pl.first())).drop_nulls()
    if not len(known) or not known.head(_TASTE).str.contains(r"^\s*[+-]?\.?\d").any():
        return ""
    bad = known.filter(known.str.strip_chars().cast(pl.Float64, strict=False).is_null())
    numbers = len(known) - len(bad)
    return mixed_note(text.name, len(known), numbers, bad[0]) if is_mixed(len(known), numbers) else ""


def _known(texts: pl.Series) -> pl.Series:
    stripped = texts.str.strip_chars()
    return stripped.filter(~stripped.is_in(MISSING))


def typed(text: pl.Series, reading: str = "", *, with_dates: bool = False) -> pl.Series:
    """Converts a column of text to integers, fractions, booleans, or dates if all of its values allow it.

    Text that means a missing value becomes null; in a column that stays text, only empty text does, since None may be a
    word.
    """
    known = _select(text, there(pl.first()))
    count = known.count()
    if not count:
        is_nan = text.is_in(_NAN)
        return known if not is_nan.any() else _with_nan(text, known.cast(pl.Float64))
    for made in _numbers(known, reading):
        if made.count() == count:
            return _with_nan(text, made)
    truth = known.str.to_lowercase()
    if truth.is_in(["true", "false"]).sum() == count:
        return truth == "true"
    for form in _FORMS if with_dates else ():
        made = known.str.to_datetime(form, strict=False)
        if made.count() == count:
            return made
    return _select(text, pl.when(~pl.first().is_in(_BLANK)).then(pl.first()))


def _with_nan(text: pl.Series, numbers: pl.Series) -> pl.Series:
    """Returns numbers with NaN where the text says so: unlike an empty cell, that is a value."""
    is_nan = text.is_in(_NAN)
    limit = 2**53
    if not is_nan.any() or (numbers.dtype.is_integer() and not numbers.is_between(-limit, limit).all()):
        return numbers
    fractions = numbers.cast(pl.Float64)
    return (
        fractions.to_frame()
        .select(pl.when(is_nan).then(float("nan")).otherwise(pl.first()))
        .to_series()
        .alias(text.name)
    )


def _select(column: pl.Series, how: pl.Expr) -> pl.Series:
    return column.to_frame().select(how.alias(column.name)).to_series()


def _numbers(known: pl.Series, reading: str) -> Any:
    first = known.drop_nulls()[0].strip()
    # The first value of most text columns shows that they are text, which saves further tests.
    if not reading and not first[:1].isdigit() and first[:1] not in {"+", "-", ".", "i", "I", "N", "n"}:
        return
    if known.str.contains(NAME_OF_DIGITS).any() and not _are_fractions(known):
        return
    plain = _select(known, bare(pl.first(), reading))
    yield plain.cast(pl.Int64, strict=False)
    fractions = plain.cast(pl.Float64, strict=False)
    if fractions.count() == known.count() and not plain.str.contains(r"[^0-9+-]").any():
        # Values with more digits than any integer type stay text, because a fraction would lose some.
        yield from (plain.cast(kind, strict=False) for kind in (pl.UInt64, pl.Int128))
    else:
        yield fractions


def _are_fractions(known: pl.Series) -> bool:
    """Whether values that begin with a zero continue like a fraction: 00.5, but not 00123."""
    begun = known.filter(known.str.contains(NAME_OF_DIGITS))
    return bool(begun.str.contains(r"[.eE]").all())
