"""Sound, played by the browser; recognized by its first bytes only."""

from __future__ import annotations

from typing import Final

from apps.runs.previews.preview import Preview
from apps.runs.previews.preview_kind import Evidence, PreviewFile, PreviewKind

_OGG_CODECS: Final = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC")
_MP4_BRANDS: Final = (b"M4A ", b"M4B ")
# MPEG audio, version 1, layer III (ISO 11172-3): kbit/s and samples per second by the bits of a frame's header.
_KILOBITS: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_SAMPLE_RATES: Final = (44100, 48000, 32000)


def played_type(head: bytes) -> str:
    """Returns the media type of sound that browsers play; "" for anything else."""
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav"
    if head.startswith(b"fLaC"):
        return "audio/flac"
    if head.startswith(b"OggS") and any(codec in head[:64] for codec in _OGG_CODECS):
        return "audio/ogg"
    if head[4:8] == b"ftyp" and head[8:12] in _MP4_BRANDS:
        return "audio/mp4"
    return "audio/mpeg" if head.startswith(b"ID3") or _is_mp3(head) else ""


def _is_mp3(head: bytes) -> bool:
    """Whether an MP3 frame begins here, and another one at its end: the two bytes of one header alone prove little."""
    length = _frame_bytes(head)
    return bool(length) and bool(_frame_bytes(head[length:]))


def _frame_bytes(head: bytes) -> int:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xFE != 0xFA:
        return 0
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if not 0 < bitrate < len(_KILOBITS) or rate >= len(_SAMPLE_RATES):
        return 0
    return 144_000 * _KILOBITS[bitrate] // _SAMPLE_RATES[rate] + (head[2] >> 1 & 1)


def _detect(file: PreviewFile) -> Evidence:
    return Evidence.SIGNATURE if played_type(file.head) else Evidence.NONE


def _read(file: PreviewFile) -> Preview:
    return Preview(preview_kind="audio", size_bytes=file.known_size)


KIND: Final = PreviewKind(key="audio", detect=_detect, read=_read, played_type=played_type)
