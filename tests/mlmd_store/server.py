"""Serves a real ML Metadata store (the C++ library, in memory) over native gRPC and gRPC-Web.

It runs with an interpreter that has ml-metadata, which the tests' own interpreter cannot have. It prints its ports as
one line of JSON, and ends with its standard input. `POST /write` takes a run as plain JSON (see written_runs.py).
"""

import json
import struct
import sys
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from ml_metadata import errors
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb
from ml_metadata.proto import metadata_store_service_pb2 as service

SERVICE = "ml_metadata.MetadataStoreService"
STATES = pb.Execution.State
LOCK = threading.Lock()


def open_store():
    config = pb.ConnectionConfig()
    config.fake_database.SetInParent()
    return metadata_store.MetadataStore(config)


STORE = open_store()


def call(method, body):
    """Returns the serialized response of an RPC."""
    request = getattr(service, f"{method}Request").FromString(body)
    response = getattr(service, f"{method}Response")()
    with LOCK:  # the in-memory database has one connection
        STORE._call(method, request, response)  # noqa: SLF001 (ml-metadata's one way in)
    return response.SerializeToString()


class Generic(grpc.GenericRpcHandler):
    def service(self, details):
        _, name, method = details.method.split("/")
        if name != SERVICE or not hasattr(service, f"{method}Request"):
            return None

        def answer(body, context):
            try:
                return call(method, body)
            except errors.NotFoundError as error:
                context.abort(grpc.StatusCode.NOT_FOUND, str(error))
            except errors.InvalidArgumentError as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))

        return grpc.unary_unary_rpc_method_handler(answer)


def frame(flag, payload):
    return struct.pack(">BI", flag, len(payload)) + payload


class Web(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes. Without this, the second would wait about 40 ms for the first's acknowledgement.
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/write":
            self.send(json.dumps(write(json.loads(body))).encode(), "application/json")
            return
        method = self.path.removeprefix(f"/{SERVICE}/")
        try:
            data = frame(0, call(method, body[5:])) + frame(0x80, b"grpc-status:0\r\n")
        except errors.Error as error:
            data = frame(0x80, f"grpc-status:{error.error_code}\r\ngrpc-message:{error}\r\n".encode())
        self.send(data, "application/grpc-web+proto")

    def send(self, data, content_type):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def set_value(value, plain):
    if isinstance(plain, bool):
        value.int_value = int(plain)
    elif isinstance(plain, int):
        value.int_value = plain
    elif isinstance(plain, float):
        value.double_value = plain
    elif isinstance(plain, str):
        value.string_value = plain
    else:
        value.struct_value.SetInParent()  # keeps an empty struct, too
        value.struct_value.update(plain)


def type_id(put, message, name):
    message.name = name
    return put(message)


def write(rows):
    """Writes a run and returns the ids in the store, by the rows' keys."""
    with LOCK:
        kinds = {row["type"] for row in rows["executions"]}
        execution_types = {kind: type_id(STORE.put_execution_type, pb.ExecutionType(), kind) for kind in kinds}
        kinds = {row["type"] for row in rows["artifacts"]}
        artifact_types = {kind: type_id(STORE.put_artifact_type, pb.ArtifactType(), kind) for kind in kinds}
        run_type = type_id(STORE.put_context_type, pb.ContextType(), "system.PipelineRun")
        context = pb.Context(type_id=run_type, name=rows["run_id"])
        context.id = STORE.put_contexts([context])[0]
        ids = {}
        for row in rows["executions"]:
            execution = pb.Execution(type_id=execution_types[row["type"]], last_known_state=STATES.Value(row["state"]))
            properties = dict(row["properties"])
            if row.get("parent"):
                properties["parent_dag_id"] = ids[row["parent"]]
            if row.get("cached_from"):
                properties["cached_execution_id"] = str(ids.get(row["cached_from"], row["cached_from"]))
            for name, plain in properties.items():
                set_value(execution.custom_properties[name], plain)
            ids[row["key"]] = STORE.put_executions([execution])[0]
        STORE.put_attributions_and_associations(
            [], [pb.Association(execution_id=ids[row["key"]], context_id=context.id) for row in rows["executions"]]
        )
        artifacts = []
        for row in rows["artifacts"]:
            artifact = pb.Artifact(type_id=artifact_types[row["type"]], uri=row["uri"], state=pb.Artifact.LIVE)
            for name, plain in row["metadata"].items():
                set_value(artifact.custom_properties[name], plain)
            artifacts.append(artifact)
        ids |= dict(zip([row["key"] for row in rows["artifacts"]], STORE.put_artifacts(artifacts), strict=True))
        events = []
        for row in rows["events"]:
            event = pb.Event(
                execution_id=ids[row["execution"]],
                artifact_id=ids[row["artifact"]],
                type=pb.Event.Type.Value(row["type"]),
            )
            event.path.steps.add(key=row["key"])
            events.append(event)
        STORE.put_events(events)
        return ids


if __name__ == "__main__":
    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    native = grpc.server(futures.ThreadPoolExecutor(4), handlers=[Generic()], options=options)
    native_port = native.add_insecure_port("127.0.0.1:0")
    native.start()
    web = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    print(json.dumps({"grpc": native_port, "web": web.server_port}), flush=True)
    sys.stdin.read()
    native.stop(0)
