"""Records as TensorFlow writes them, without TensorFlow: length (8 bytes), checksum (4), data, checksum (4)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final


def is_tfrecord(content: bytes) -> bool:
    """Whether bytes begin with a record: a length that fits, and its checksum."""
    return begins_record(content[:12], len(content))


def begins_record(start: bytes, size: int) -> bool:
    """Whether twelve bytes are the head of a record in a file of the given size."""
    if len(start) < 12:
        return False
    length, checksum = struct.unpack_from("<QI", start)
    return bool(length + 16 <= size and _masked_crc32c(start[:8]) == checksum)


def records(content: bytes, name: str) -> Iterator[bytes]:
    """Yields the records of a TFRecord file.

    Raises:
        ValueError: it is incomplete or damaged.
    """
    position = 0
    while position < len(content):
        if not begins_record(content[position : position + 12], len(content) - position):
            raise ValueError(f"{name} is damaged at byte {position:,}: no record begins there.")
        (length,) = struct.unpack_from("<Q", content, position)
        yield content[position + 12 : position + 12 + length]
        position += 16 + length


def _crc_table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = (number >> 1) ^ 0x82F63B78 if number & 1 else number >> 1  # noqa: PLW2901
        table.append(number)
    return tuple(table)


_CRC32C: Final = _crc_table()


def _masked_crc32c(content: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in content:
        crc = (crc >> 8) ^ _CRC32C[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
