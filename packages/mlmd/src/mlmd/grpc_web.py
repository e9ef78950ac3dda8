"""gRPC-Web framing of one unary call.

A frame is one flag byte, a big-endian uint32 length and the payload; flag 0x00 is a message, 0x80 the trailer as
HTTP header text. Source: grpc/grpc, doc/PROTOCOL-WEB.md.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from google.protobuf.message import DecodeError

CONTENT_TYPE: Final = "application/grpc-web+proto"
REQUEST_HEADERS: Final = {"Content-Type": CONTENT_TYPE, "Accept": CONTENT_TYPE, "X-Grpc-Web": "1"}
_DATA: Final = 0x00
_TRAILER: Final = 0x80
_HEADER = struct.Struct(">BI")


class GrpcWebError(Exception):
    """The body is not a gRPC-Web answer, or the call ended with a status other than 0.

    Attributes:
        status: the gRPC status code; None if the body could not be parsed as frames.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def encode_request(message: Any) -> bytes:
    """Returns one protobuf message as a request body."""
    return _frame(_DATA, message.SerializeToString())


def decode_request(body: bytes, message_class: Any) -> Any:
    """Parses a request body.

    Raises:
        GrpcWebError: the body is incomplete or contains no message.
    """
    for flag, payload in _frames(body):
        if not flag & _TRAILER:
            return message_class.FromString(payload)
    raise GrpcWebError("the request holds no message")


def encode_response(message: Any) -> bytes:
    """Returns a successful answer: the message and a trailer with status 0."""
    return _frame(_DATA, message.SerializeToString()) + encode_status(0, "")


def encode_status(status: int, text: str) -> bytes:
    """Returns the trailer frame of a call that ended with `status`."""
    return _frame(_TRAILER, f"grpc-status:{status}\r\ngrpc-message:{quote(text)}\r\n".encode())


def decode_response(body: bytes, headers: Mapping[str, str], message_class: Any) -> Any:
    """Parses an answer.

    Args:
        body: the whole response body.
        headers: the HTTP response headers; their case is ignored. A call that fails at once has its status only there.
        message_class: the protobuf class of the answer.

    Returns:
        The message; an empty one if the server sent status 0 and no message.

    Raises:
        GrpcWebError: not gRPC-Web, incomplete, undecodable, or a status other than 0.
    """
    status, text = _status_of({name.lower(): value for name, value in headers.items()})
    message = message_class()
    for flag, payload in _frames(body):
        if flag & _TRAILER:
            status, text = _status_of(_parse_trailer(payload))
        else:
            message = _parse(payload, message_class)
    if status is None and not body:
        raise GrpcWebError("empty answer without a gRPC status")
    if status:
        raise GrpcWebError(text or f"gRPC status {status}", status=status)
    return message


def _frame(flag: int, payload: bytes) -> bytes:
    return _HEADER.pack(flag, len(payload)) + payload


def _frames(body: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset < len(body):
        if len(body) - offset < _HEADER.size:
            raise GrpcWebError("the answer ends inside a frame header")
        flag, length = _HEADER.unpack_from(body, offset)
        offset += _HEADER.size
        if flag & ~_TRAILER or offset + length > len(body):
            raise GrpcWebError("the answer is not gRPC-Web, or was cut short")
        yield flag, body[offset : offset + length]
        offset += length


def _parse(payload: bytes, message_class: Any) -> Any:

    try:
        return message_class.FromString(payload)
    except DecodeError as error:
        raise GrpcWebError(f"undecodable message: {error}") from error


def _parse_trailer(payload: bytes) -> dict[str, str]:
    lines = payload.decode("utf-8", "replace").split("\r\n")
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _status_of(fields: Mapping[str, str]) -> tuple[int | None, str]:
    code = fields.get("grpc-status")
    if code is None:
        return None, ""
    return (int(code) if code.isdecimal() else 2), unquote(fields.get("grpc-message", ""))
