"""Changes files: damages as by people, oddities as by tools, and random changes."""

from __future__ import annotations

import copy
import gzip
import json
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORDS = (
    "", " ", "nan", "NaN", "inf", "-inf", "null", "None", "N/A", "-", "0", "-0", "1e400", "-1", "1e-320", "1,5",
    "1,000", "1_000", "0x1f", "007", "99999999999999999999", "true", "False", "2024-13-45", "2024-01-02T03:04:05Z",
    "12:00", "1 000", "50%", "$5", "(3)", "=1+1", "<b>x</b>", "</script>", "é", "漢字", "\u202e", "😀", "\0", "\t",
    "\r", '"', "'", '"a', "a;b", "a,b", "[1, 2]", "{}", "b'x'", "x" * 5000,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, -1e308, 10**30, float("nan"), float("inf"), "", "x", "1", "nan", "<b>",
    "x" * 5000, [], {}, [[]], [None], [1, "a"], {"a": None}, {"": 1}, [[1], [2, 3]],
)  # fmt: skip
_JSON = {".json", ".ipynb", ".jsonl", ".ndjson"}
_TABLES = {".csv", ".tsv", ".txt"}


def change(dice: random.Random, path: Path) -> None:
    """Makes one to three changes to a file, or to a file of a folder."""
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    written = [each for each in files if each.name == "results.json"]
    if written:
        # For comparisons of saved results: the portal writes this file and keeps the others.
        files.remove(written[0])
    elif path.is_dir() and dice.random() < 0.05:
        dice.choice(files).unlink()
        return
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        file = dice.choice(files)
        content = file.read_bytes()
        file.write_bytes(_changed(dice, file.suffix.lower(), content))


def _changed(dice: random.Random, suffix: str, content: bytes) -> bytes:
    ways: list[Callable[[random.Random, bytes], bytes]] = [_bytes_changed]
    if suffix == ".gz":
        ways = [_unpacked_changed] * 2 + ways
    if suffix in _JSON:
        ways = [_json_changed] * 4 + ways
    if suffix in _TABLES:
        ways = [_cell_changed] * 4 + [_column_changed] * 2 + [_lines_changed] + ways
    if suffix in {".md", ".html", ".pbtxt"}:
        ways = [_word_inserted] * 3 + [_lines_changed] + ways
    try:
        return dice.choice(ways)(dice, content)
    except (ValueError, LookupError, RecursionError, OSError, EOFError, zlib.error):
        # An earlier change left nothing in this form.
        return _bytes_changed(dice, content)


def _unpacked_changed(dice: random.Random, content: bytes) -> bytes:
    return gzip.compress(_bytes_changed(dice, gzip.decompress(content)), mtime=0)


def _bytes_changed(dice: random.Random, content: bytes) -> bytes:
    if not content:
        return dice.choice((b"\0", b"\xff\xfe", b"{", b"\n"))
    start = dice.randrange(len(content))
    end = min(len(content), start + dice.choice((1, 2, 8, 100, 5000)))
    part = content[start:end]
    new = dice.choice((b"", part * 2, bytes(len(part)), dice.randbytes(len(part)), b"\xff" * len(part), part[::-1]))
    way = dice.randrange(10)
    if way == 0:
        return content[:start]
    if way == 1:
        return b""
    if way == 2:
        return dice.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\n\n", b"#", b"\0")) + content
    return content[:start] + new + content[end:]


def _lines_changed(dice: random.Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    place = dice.randrange(len(lines))
    way = dice.randrange(6)
    if way == 0:
        return b"".join(lines[:1])
    if way == 1:
        return b"".join(lines[1:])
    if way == 2:
        lines.insert(place, lines[0])
    elif way == 3:
        lines.insert(place, b"\n")
    elif way == 4:
        return b"\r".join(line.rstrip(b"\r\n") for line in lines)
    else:
        return content.decode().encode(dice.choice(("utf-16", "cp1252", "utf-8-sig", "utf-32", "shift_jis")), "replace")
    return b"".join(lines)


def _word_inserted(dice: random.Random, content: bytes) -> bytes:
    place = dice.randrange(len(content) + 1)
    return content[:place] + dice.choice(WORDS).encode() + content[place:]


def _cell_changed(dice: random.Random, content: bytes) -> bytes:
    rows, mark = _rows_of(content)
    for _ in range(dice.choice((1, 1, 5, 50))):
        row = dice.choice(rows) if dice.random() < 0.8 else rows[0]
        row[dice.randrange(len(row))] = dice.choice(WORDS)
    return _joined(rows, mark)


def _column_changed(dice: random.Random, content: bytes) -> bytes:
    rows, mark = _rows_of(content)
    column, word = dice.randrange(len(rows[0])), dice.choice(WORDS)
    other = dice.randrange(len(rows[0]))
    way = dice.randrange(5)
    for row in rows[0 if way > 2 else 1 :]:
        if way == 0:
            row[column] = word
        elif way == 1:
            row[column] = dice.choice(WORDS)
        elif way == 2:
            row[column] = str(dice.choice((dice.random(), dice.randint(-3, 3), 10**40, -dice.random())))
        elif way == 3:
            row[column] = row[other]
        else:
            del row[column]
    return _joined(rows, mark if dice.random() < 0.7 else dice.choice(",;\t| "))


def _rows_of(content: bytes) -> tuple[list[list[str]], str]:
    text = content.decode()
    mark = "\t" if "\t" in text.split("\n", 1)[0] else ","
    return [line.split(mark) for line in text.splitlines()], mark


def _joined(rows: list[list[str]], mark: str) -> bytes:
    return ("\n".join(mark.join(row) for row in rows) + "\n").encode()


def _json_changed(dice: random.Random, content: bytes) -> bytes:
    found = json.loads(content)
    for _ in range(dice.choice((1, 1, 2, 5))):
        places = list(_places(found))
        if not places:
            return json.dumps(copy.deepcopy(dice.choice(VALUES))).encode()
        holder, key = dice.choice(places)
        way = dice.randrange(5)
        if way == 0 and isinstance(holder, dict):
            del holder[key]
        elif way == 1 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(dice.choice(VALUES)))
        elif way == 2:
            _, other = dice.choice(places)
            holder[key] = other
        else:
            holder[key] = copy.deepcopy(dice.choice(VALUES))
    return json.dumps(found).encode()


def _places(value: Any) -> Any:
    """Yields the place of every value in JSON: (the dict or list, its key or index)."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in list(items):
        yield value, key
        yield from _places(each)
