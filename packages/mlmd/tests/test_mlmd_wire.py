"""Compare the frames and messages that the portal and localkfp share with handwritten bytes."""

import gc
import weakref

import pytest
from mlmd import grpc_web, messages

# Context{id: 7, name: "r"} in GetContextByTypeAndNameResponse.context, encoded by protobuf's rules.
CONTEXT = bytes.fromhex("0a0508071a0172")
TRAILER = b"grpc-status:0\r\ngrpc-message:\r\n"


def frame(flag, payload):
    return bytes([flag]) + len(payload).to_bytes(4, "big") + payload


def decode(body, headers=None):
    response = messages.message_class("GetContextByTypeAndNameResponse")
    return grpc_web.decode_response(body, headers or {}, response)


def test_request_is_one_frame_of_protobuf_bytes():
    request = messages.message_class("GetContextByTypeAndNameRequest")(type_name="t", context_name="c")
    assert grpc_web.encode_request(request) == frame(0, b"\x0a\x01t\x12\x01c")
    read = grpc_web.decode_request(grpc_web.encode_request(request), type(request))
    assert (read.type_name, read.context_name) == ("t", "c")


def test_response_is_decoded_with_its_trailer():
    found = decode(frame(0, CONTEXT) + frame(0x80, TRAILER))
    assert (found.context.id, found.context.name) == (7, "r")
    assert decode(frame(0, CONTEXT)).context.id == 7
    assert decode(frame(0x80, TRAILER)).context.id == 0


def test_encoded_response_decodes_to_the_same_message():
    response = messages.message_class("GetContextByTypeAndNameResponse")()
    response.context.id, response.context.name = 7, "r"
    body = grpc_web.encode_response(response)
    assert body == frame(0, CONTEXT) + frame(0x80, TRAILER)
    assert decode(body) == response


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (frame(0x80, b"grpc-status: 5\r\nGRPC-Message: not%20there\r\n"), {}),
        (b"", {"Grpc-Status": "5", "grpc-message": "not%20there"}),
        (frame(0, CONTEXT) + grpc_web.encode_status(5, "not there"), {}),
    ],
)
def test_failed_call_raises_error_with_status_and_text(body, headers):
    with pytest.raises(grpc_web.GrpcWebError, match="not there") as raised:
        decode(body, headers)
    assert raised.value.status == 5


def test_non_numeric_status_is_unknown():
    with pytest.raises(grpc_web.GrpcWebError) as raised:
        decode(frame(0x80, b"grpc-status: ?\r\n"))
    assert raised.value.status == 2


@pytest.mark.parametrize(
    "body", [b"", b"\x00\x00", b"<!doctype html><title>Sign in", frame(0, CONTEXT)[:-1], frame(0, b"\x0a\xff")]
)
def test_invalid_response_raises_error_without_status(body):
    with pytest.raises(grpc_web.GrpcWebError) as raised:
        decode(body)
    assert raised.value.status is None


def test_request_without_message_raises_error():
    with pytest.raises(grpc_web.GrpcWebError, match="no message"):
        grpc_web.decode_request(frame(0x80, TRAILER), messages.message_class("GetArtifactTypesRequest"))


def test_unknown_fields_of_a_newer_store_are_kept():
    kind = messages.message_class("ArtifactType")
    newer = kind(id=1, name="n").SerializeToString() + b"\xa2\x06\x01x"
    assert kind.FromString(newer).SerializeToString() == newer


@pytest.mark.parametrize(
    ("field", "value", "bytes_"),
    [
        ("int_value", 3, b"\x08\x03"),
        ("double_value", 0.5, b"\x11" + bytes.fromhex("000000000000e03f")),
        ("string_value", "x", b"\x1a\x01x"),
        ("bool_value", True, b"\x30\x01"),
    ],
)
def test_values_use_the_field_numbers_of_ml_metadata(field, value, bytes_):
    message = messages.message_class("Value")(**{field: value})
    assert message.SerializeToString() == bytes_
    assert message.WhichOneof("value") == field


def test_maps_and_nested_messages_are_declared():
    execution = messages.message_class("Execution")(id=1, last_known_state=6)
    execution.custom_properties["inputs"].struct_value.update({"a": [1, {"b": None}]})
    read = type(execution).FromString(execution.SerializeToString())
    assert read.custom_properties["inputs"].struct_value["a"][0] == 1.0
    assert messages.EXECUTION_STATES[read.last_known_state] == "CANCELED"


def test_undeclared_message_raises_key_error():
    with pytest.raises(KeyError):
        messages.message_class("PutArtifactsRequest")


def test_message_class_is_never_garbage_collected():
    """Recreating a collected class while other threads run is suspected of a crash in `FromString`."""
    first = weakref.ref(messages.message_class("GetArtifactTypesRequest"))
    gc.collect()
    assert first() is messages.message_class("GetArtifactTypesRequest")
