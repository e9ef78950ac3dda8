"""Scalars in TensorBoard's event files, without TensorBoard: parses the few relevant fields of `tensorflow.Event`."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .records import records

_MAX_BYTES: Final = 512 * 1024**2
_FLOAT: Final = 1
_DOUBLE: Final = 2


def scalars(path: Path) -> Iterator[tuple[int, str, float]]:
    """Yields step, tag and value of each scalar.

    Raises:
        ValueError: the file is too large, damaged, or contains no events.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"{path.name} is larger than {_MAX_BYTES // 1024**2} MB.")
    for record in records(path.read_bytes(), path.name):
        try:
            event = dict(_fields(record))
            summary = event.get(5)
            step = int(event.get(2, 0))
            for number, value in _fields(summary) if isinstance(summary, bytes) else ():
                if number == 1 and isinstance(value, bytes):
                    yield from _scalar(step, dict(_fields(value)))
        except (struct.error, IndexError, ValueError, UnicodeDecodeError):
            raise ValueError(f"{path.name} holds records that are not TensorBoard events.") from None


def _scalar(step: int, value: dict[int, Any]) -> Iterator[tuple[int, str, float]]:
    tag = value.get(1, b"")
    name = tag.decode("utf-8") if isinstance(tag, bytes) else ""
    if isinstance(value.get(2), float):
        yield step, name, value[2]
    elif isinstance(value.get(8), bytes):
        number = _of_tensor(dict(_fields(value[8])))
        if number is not None:
            yield step, name, number


def _of_tensor(tensor: dict[int, Any]) -> float | None:
    """Returns a tensor's number; None if it is not a single float."""
    kind, content = tensor.get(1), tensor.get(4)
    if kind not in {_FLOAT, _DOUBLE}:
        return None
    size, form = (4, "<f") if kind == _FLOAT else (8, "<d")
    for held in (content, tensor.get(5), tensor.get(6)):
        if isinstance(held, bytes) and len(held) == size:
            return float(struct.unpack(form, held)[0])
        if isinstance(held, float):
            return held
    return None


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yields a message's fields by number: integers, fractions, and bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
        elif wire in {1, 5}:
            size, form = (8, "<d") if wire == 1 else (4, "<f")
            yield number, struct.unpack_from(form, message, at)[0]
            at += size
        elif wire == 2:
            size, at = _varint(message, at)
            if at + size > len(message):
                raise ValueError("cut off")
            yield number, message[at : at + size]
            at += size
        else:
            raise ValueError("no such field")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("no number")
