"""The messages of ml_metadata's MetadataStoreService that a run's lineage needs.

`ml-metadata` cannot be installed next to kfp (their protobuf pins exclude each other), and gRPC does not transmit a
message's package. So the schema is declared here, in a separate package, with the field numbers of
ml_metadata/proto/metadata_store.proto and metadata_store_service.proto (1.17.1), and protobuf creates the classes at
import. Unknown fields of a real store are kept and ignored.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, struct_pb2

_PACKAGE: Final = "vizportal.mlmd"
_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS: Final = {
    "int32": _FIELD.TYPE_INT32,
    "int64": _FIELD.TYPE_INT64,
    "double": _FIELD.TYPE_DOUBLE,
    "bool": _FIELD.TYPE_BOOL,
    "string": _FIELD.TYPE_STRING,
}
_ENUMS: Final = {
    "PropertyType": ("UNKNOWN", "INT", "DOUBLE", "STRING", "STRUCT", "PROTO", "BOOLEAN"),
    "ExecutionState": ("UNKNOWN", "NEW", "RUNNING", "COMPLETE", "FAILED", "CACHED", "CANCELED"),
    "ArtifactState": (
        "UNKNOWN",
        "PENDING",
        "LIVE",
        "MARKED_FOR_DELETION",
        "DELETED",
        "ABANDONED",
        "REFERENCE",
    ),
    "EventType": (
        "UNKNOWN",
        "DECLARED_OUTPUT",
        "DECLARED_INPUT",
        "INPUT",
        "OUTPUT",
        "INTERNAL_INPUT",
        "INTERNAL_OUTPUT",
        "PENDING_OUTPUT",
    ),
}
# message -> "field:number", each "name:number type"; a trailing * means repeated, *map a string -> Value map.
_MESSAGES: Final = {
    "Value": "int_value:1 int64, double_value:2 double, string_value:3 string,"
    " struct_value:4 .google.protobuf.Struct, proto_value:5 .google.protobuf.Any, bool_value:6 bool",
    "PathStep": "index:1 int64, key:2 string",
    "Path": "steps:1 PathStep*",
    "Artifact": "id:1 int64, type_id:2 int64, uri:3 string, properties:4 map, custom_properties:5 map,"
    " state:6 ArtifactState, name:7 string, type:8 string, create_time_since_epoch:9 int64,"
    " last_update_time_since_epoch:10 int64",
    "ArtifactType": "id:1 int64, name:2 string",
    "Event": "artifact_id:1 int64, execution_id:2 int64, path:3 Path, type:4 EventType,"
    " milliseconds_since_epoch:5 int64",
    "Execution": "id:1 int64, type_id:2 int64, last_known_state:3 ExecutionState, properties:4 map,"
    " custom_properties:5 map, name:6 string, type:7 string, create_time_since_epoch:8 int64,"
    " last_update_time_since_epoch:9 int64",
    "Context": "id:1 int64, type_id:2 int64, name:3 string, properties:4 map, custom_properties:5 map,"
    " type:6 string, create_time_since_epoch:7 int64, last_update_time_since_epoch:8 int64",
    "ListOperationOptions": "max_result_size:1 int32, next_page_token:3 string",
    "GetContextByTypeAndNameRequest": "type_name:1 string, context_name:2 string",
    "GetContextByTypeAndNameResponse": "context:1 Context",
    "GetExecutionsByContextRequest": "context_id:1 int64, options:2 ListOperationOptions",
    "GetExecutionsByContextResponse": "executions:1 Execution*, next_page_token:2 string",
    "GetEventsByExecutionIDsRequest": "execution_ids:1 int64*",
    "GetEventsByExecutionIDsResponse": "events:1 Event*",
    "GetArtifactsByIDRequest": "artifact_ids:1 int64*",
    "GetArtifactsByIDResponse": "artifacts:1 Artifact*",
    "GetArtifactTypesRequest": "",
    "GetArtifactTypesResponse": "artifact_types:1 ArtifactType*",
    "GetContextsByExecutionRequest": "execution_id:1 int64",
    "GetContextsByExecutionResponse": "contexts:1 Context*",
    "GetArtifactsByContextRequest": "context_id:1 int64, options:2 ListOperationOptions",
    "GetArtifactsByContextResponse": "artifacts:1 Artifact*, next_page_token:2 string",
}


def _add_field(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    field = message.field.add(name=name, number=number, label=_FIELD.LABEL_OPTIONAL)
    if kind.endswith("*"):
        field.label, kind = _FIELD.LABEL_REPEATED, kind[:-1]
    if kind == "map":
        entry_name = "".join(part.title() for part in name.split("_")) + "Entry"
        entry = message.nested_type.add(name=entry_name)
        entry.options.map_entry = True
        _add_field(entry, "key", 1, "string")
        _add_field(entry, "value", 2, "Value")
        field.label, field.type = _FIELD.LABEL_REPEATED, _FIELD.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{message.name}.{entry_name}"
    elif kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = _FIELD.TYPE_ENUM if kind in _ENUMS else _FIELD.TYPE_MESSAGE
        field.type_name = kind if kind.startswith(".") else f".{_PACKAGE}.{kind}"


def _describe() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="vizportal/mlmd.proto", package=_PACKAGE, syntax="proto2")
    file.dependency.extend([struct_pb2.DESCRIPTOR.name, any_pb2.DESCRIPTOR.name])
    for enum_name, members in _ENUMS.items():
        enum = file.enum_type.add(name=enum_name)
        for number, member in enumerate(members):
            # Enum members share the file's scope in protobuf, so their names include the enum's name.
            enum.value.add(name=f"{enum_name}_{member}", number=number)
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for field in filter(None, (part.strip() for part in fields.split(","))):
            label, kind = field.split(" ")
            name, field_number = label.split(":")
            _add_field(message, name, int(field_number), kind)
    value = file.message_type[0]
    value.oneof_decl.add(name="value")
    for member_field in value.field:
        member_field.oneof_index = 0
    return file


# struct and any must be in the default pool before the file that depends on them is added.
_POOL = descriptor_pool.Default()
_FILE: Final = _describe()
_POOL.AddSerializedFile(_FILE.SerializeToString())
# Created at import and kept. protobuf keeps a class only while it is in use, so a class created for a request was
# collected and created again, concurrently with the requests of other threads.
_CLASSES: Final = message_factory.GetMessageClassesForFiles([_FILE.name], _POOL)


def message_class(name: str) -> Any:
    """Returns the protobuf class of one message. Thread-safe.

    Args:
        name: its name without a package, such as `"Execution"`.

    Raises:
        KeyError: no such message is declared here.
    """
    return _CLASSES[f"{_PACKAGE}.{name}"]


EXECUTION_STATES: Final = _ENUMS["ExecutionState"]
"""Names of Execution.last_known_state by number (0 UNKNOWN ... 6 CANCELED)."""

EVENT_INPUTS: Final = frozenset({2, 3})
EVENT_OUTPUTS: Final = frozenset({1, 4})
"""Event types for input or output; stores write INPUT=3/OUTPUT=4, older ones the DECLARED_ 2/1."""
EVENT_INPUT: Final = 3
EVENT_OUTPUT: Final = 4
SERVICE_PATH: Final = "/ml_metadata.MetadataStoreService/"
