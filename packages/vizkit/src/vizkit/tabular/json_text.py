"""Parses a file's text as JSON values: one, or several in sequence, on separate lines or not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

from ..encoding import text_of
from ..notes import Notes, counted

MAX_BYTES: Final = 256 * 1024**2
_DECODE_ERRORS: Final = (ValueError, RecursionError)
# Separators between values: spaces, commas left from an array, and the mark of JSON text sequences (RFC 7464).
_BETWEEN: Final = re.compile(r"[\s,\x1e\ufeff]*")
# One in this many lines may be invalid, as when two programs write to one log.
_ONE_BAD_IN: Final = 10
# A matrix as NumPy prints it: numbers separated by spaces, without commas.
_PRINTED: Final = re.compile(r"\[\[[\[\]\s\d.eE+-]++")
_PRINTED_END: Final = re.compile(r"\]\s*\]\Z")
_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")


class Literal(float):
    """A number that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Creates one from the JSON text."""
        made = super().__new__(cls, text)
        made.text = text
        return made


def load_json(path: Path, *, parse_float: Callable[[str], Any] = float, notes: Notes | None = None) -> Any:
    """Returns a file's JSON value, or the list of several; arrays of objects are concatenated.

    NaN and Infinity are accepted in Python's notation. Lines that are invalid or cut off are noted.

    Raises:
        ValueError: it is not JSON, or too large; the text is for people.
    """
    notes = Notes() if notes is None else notes
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path.name} is larger than {MAX_BYTES // 1024**2} MB, too large for JSON.")
    text, said = text_of(path)
    notes.add(said)
    found = _decoded(text, path.name, json.JSONDecoder(parse_float=parse_float, strict=False), notes)
    return _mended(found, notes) if _HALF.search(text) else found


def _decoded(text: str, name: str, decoder: json.JSONDecoder, notes: Notes) -> Any:
    if _is_print(text):
        return _of_print(text)
    first, _, rest = text.lstrip().partition("\n")
    # Complete values on the first two lines mean JSON lines; everything else is tried as one value first.
    if rest.lstrip()[:1] in {"{", "["} and first.rstrip()[-1:] in {"}", "]"}:
        try:
            return _together([decoder.decode(line) for line in text.split("\n") if line.strip()])
        except _DECODE_ERRORS:
            return _several(text, name, decoder, notes)
    try:
        return decoder.decode(text)
    except RecursionError:
        raise ValueError(f"{name} is JSON that is nested too deep to be read.") from None
    except json.JSONDecodeError as error:
        found = _several(text, name, decoder, notes, where=f" (line {error.lineno}, column {error.colno})")
        return found if len(found) > 1 or "\n" in text.strip() else found[0]


def _several(text: str, name: str, decoder: json.JSONDecoder, notes: Notes, *, where: str = "") -> list[Any]:
    """Returns values that follow each other.

    Args:
        where: where parsing it as one value failed; for the error.
    """
    found: list[Any] = []
    bad: list[tuple[int, str]] = []
    at = _next(text, 0)
    while at < len(text):
        end = -1
        if text[at] in "{[":
            try:
                value, end = decoder.raw_decode(text, at)
            except _DECODE_ERRORS:
                end = -1
        if end < 0:
            line_end = text.find("\n", at)
            bad.append((text.count("\n", 0, at) + 1, text[at : at + 80].partition("\n")[0]))
            end = len(text) if line_end < 0 else line_end
            if not found:
                break
        else:
            found.append(value)
        at = _next(text, end)
    if found and bad and not text.endswith("\n") and bad[-1][0] == text.count("\n") + 1:
        notes.add("The last line is cut off and is left out.")
        bad.pop()
    if not found:
        raise ValueError(f"{name} begins as JSON but is not valid{where}, so it cannot be read as a table.")
    if len(bad) * _ONE_BAD_IN > len(found):
        raise ValueError(f"Line {bad[0][0]:,} of {name} is not JSON, so it cannot be read as a table: {bad[0][1]}")
    if bad:
        verbs = "is not JSON and is" if len(bad) == 1 else "are not JSON and are"
        notes.add(f"{counted(len(bad), 'line')} {verbs} left out; the first is line {bad[0][0]:,}.")
    return _together(found)


def _next(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _together(values: list[Any]) -> list[Any]:
    """Concatenates arrays of objects."""
    are_tables = all(isinstance(each, list) and all(isinstance(row, Mapping) for row in each) for each in values)
    return [row for each in values for row in each] if are_tables else values


def _is_print(text: str) -> bool:
    # In steps that each read the text once: it may be long, and most texts are not a printed matrix.
    bare = text.strip()
    is_numbers = bare.startswith("[[") and _PRINTED.fullmatch(bare) is not None
    return is_numbers and (" " in bare or "\n" in bare) and _PRINTED_END.search(bare, len(bare) - 100) is not None


def _of_print(text: str) -> list[list[float]]:
    """Parses a matrix that NumPy printed; a row may extend over several lines."""
    rows = [row.split() for row in re.findall(r"\[([^\[\]]+)\]", text)]
    return [[int(each) if re.fullmatch(r"[+-]?\d+", each) else float(each) for each in row] for row in rows]


def _mended(value: Any, notes: Notes) -> Any:
    """Returns a value without lone surrogates, which no file can contain: they are replaced by their escapes."""
    if isinstance(value, str) and not value.isascii():
        mended = value.encode("utf-8", "backslashreplace").decode()
        if mended != value:
            notes.add("Halves of characters (UTF-16 surrogates) are shown as they are written, such as \\ud83d.")
        return mended
    if isinstance(value, list):
        return [_mended(each, notes) for each in value]
    if isinstance(value, dict):
        return {_mended(name, notes): _mended(each, notes) for name, each in value.items()}
    return value
