"""Reads a run's lineage from a server into plain values."""

import requests
from google.protobuf.json_format import MessageToDict
from mlmd import grpc_web, messages

STATES = messages.EXECUTION_STATES


def call(host, method, **fields):
    request = grpc_web.encode_request(messages.message_class(f"{method}Request")(**fields))
    answer = requests.post(host + messages.SERVICE_PATH + method, data=request, timeout=30)
    return grpc_web.decode_response(answer.content, answer.headers, messages.message_class(f"{method}Response"))


def read_steps(host, run_id):
    """Returns one dict per execution: id, kind, state, properties, and artifacts as (direction, key, artifact)."""
    context = call(host, "GetContextByTypeAndName", type_name="system.PipelineRun", context_name=run_id).context
    if not context.id:
        return []
    rows = call(host, "GetExecutionsByContext", context_id=context.id).executions
    events = call(host, "GetEventsByExecutionIDs", execution_ids=[row.id for row in rows]).events
    found = call(host, "GetArtifactsByID", artifact_ids={event.artifact_id for event in events}).artifacts
    artifacts = {row.id: row for row in found}
    return [
        {
            "id": row.id,
            "kind": row.type.removeprefix("system."),
            "state": STATES[row.last_known_state],
            **{name: _plain(value) for name, value in row.custom_properties.items()},
            "artifacts": [
                ("in" if event.type == 3 else "out", event.path.steps[0].key, artifacts[event.artifact_id])
                for event in events
                if event.execution_id == row.id
            ],
        }
        for row in rows
    ]


def _plain(value):
    kind = value.WhichOneof("value")
    return MessageToDict(value.struct_value) if kind == "struct_value" else getattr(value, kind)


def read_artifact(host, uri, **query):
    source, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    query = {"source": source, "bucket": bucket, "key": key, **query}
    return requests.get(f"{host}/artifacts/get", params=query, timeout=30)


def read_log(host, run_id, step):
    query = {"podname": step["pod_name"], "runid": run_id}
    return requests.get(f"{host}/k8s/pod/logs", params=query, timeout=30).text
