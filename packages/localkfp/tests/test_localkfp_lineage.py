"""Read lineage over gRPC-Web with the code that the portal uses for a real Kubeflow."""

import pytest
from localkfp import recorder
from localkfp.recorder import ArtifactRecord, Recorder
from mlmd import grpc_web, messages


def ask(server, method, **fields):
    request = messages.message_class(f"{method}Request")(**fields)
    return send(server, method, grpc_web.encode_request(request))


def send(server, method, body):
    answer = server.call("POST", messages.SERVICE_PATH + method, data=body, headers=grpc_web.REQUEST_HEADERS)
    assert answer.headers["content-type"] == grpc_web.CONTENT_TYPE
    try:
        response = messages.message_class(f"{method}Response")
    except KeyError:
        response = messages.message_class("GetArtifactTypesResponse")
    return grpc_web.decode_response(answer.content, answer.headers, response)


@pytest.fixture
def run(server):
    """Records a run with a root, a step that writes an artifact and a step that reads it."""
    run_id = server.run()["run_id"]
    record = Recorder(store=server.store, run_id=run_id)
    metadata = {"n": 3, "f": 0.5, "yes": True, "text": "t", "items": [1, {"a": 2}], "deep": {"b": [3]}, "none": None}
    made = ArtifactRecord(key="out", type="system.Dataset", uri="minio://b/k", metadata=metadata)
    root = record.start(recorder.DAG, inputs={"k": 4})
    maker = record.start(recorder.CONTAINER, task_name="make", parent_id=root, pod_name="p-1", image="python")
    record.finish(maker, recorder.COMPLETE, outputs={"Output": [1, 2]}, artifacts=[made])
    used = ArtifactRecord(key="given", type="system.Dataset", uri="minio://b/k", metadata=metadata)
    record.start(recorder.CONTAINER, task_name="use", parent_id=root, artifacts=[used, used], iteration_index=0)
    return run_id


def context(server, run_id, kind="system.PipelineRun"):
    return ask(server, "GetContextByTypeAndName", type_name=kind, context_name=run_id).context


def executions(server, run_id):
    return ask(server, "GetExecutionsByContext", context_id=context(server, run_id).id).executions


def test_unknown_run_or_type_gets_an_empty_response(server, run):
    assert context(server, "nobody").id == 0
    assert context(server, run, "system.Pipeline").id == 0
    assert context(server, run).name == run


def test_executions_have_the_properties_that_the_driver_writes(server, run):
    root, make, use = executions(server, run)
    assert [item.last_known_state for item in (root, make, use)] == [2, 3, 2]
    assert (root.type, make.type) == ("system.DAGExecution", "system.ContainerExecution")
    assert root.custom_properties["task_name"].string_value == ""
    assert "parent_dag_id" not in root.custom_properties
    assert root.custom_properties["inputs"].struct_value["k"] == 4.0
    properties = make.custom_properties
    assert properties["parent_dag_id"].int_value == root.id
    assert properties["pod_name"].string_value == "p-1"
    assert properties["image"].string_value == "python"
    assert list(properties["outputs"].struct_value["Output"]) == [1.0, 2.0]
    assert use.custom_properties["iteration_index"].WhichOneof("value") == "int_value"
    assert make.last_update_time_since_epoch >= make.create_time_since_epoch > 0


def test_writer_and_reader_share_an_artifact_under_their_own_names(server, run):
    ids = [item.id for item in executions(server, run)]
    events = ask(server, "GetEventsByExecutionIDs", execution_ids=ids).events
    assert [(item.type, item.path.steps[0].key) for item in events] == [(4, "out"), (3, "given"), (3, "given")]
    assert len({item.artifact_id for item in events}) == 1


def test_metadata_has_the_launchers_types(server, run):
    found = ask(server, "GetArtifactsByContext", context_id=context(server, run).id).artifacts
    (artifact,) = ask(server, "GetArtifactsByID", artifact_ids=[found[0].id, 999]).artifacts
    assert (artifact.type, artifact.uri) == ("system.Dataset", "minio://b/k")
    properties = artifact.custom_properties
    assert properties["n"].double_value == 3.0
    assert properties["n"].WhichOneof("value") == properties["f"].WhichOneof("value") == "double_value"
    assert properties["yes"].WhichOneof("value") == "int_value"
    assert properties["text"].string_value == "t"
    assert list(properties["items"].struct_value) == ["list"]
    assert properties["deep"].struct_value["struct"]["b"][0] == 3.0
    assert properties["display_name"].string_value == "out"
    types = {item.id: item.name for item in ask(server, "GetArtifactTypes").artifact_types}
    assert types[artifact.type_id] == "system.Dataset"


@pytest.mark.parametrize(("size", "pages"), [(2, 2), (100, 1), (1, 3)])
def test_executions_are_paged(server, run, size, pages):
    seen, token, count = [], "", 0
    while token or not count:
        options = {"max_result_size": size, "next_page_token": token}
        page = ask(server, "GetExecutionsByContext", context_id=context(server, run).id, options=options)
        seen += [item.id for item in page.executions]
        token, count = page.next_page_token, count + 1
    assert (seen, count) == ([item.id for item in executions(server, run)], pages)


def test_lineage_is_deleted_with_its_run(server, run):
    number = context(server, run).id
    server.delete(f"/runs/{run}")
    assert not ask(server, "GetExecutionsByContext", context_id=number).executions
    assert context(server, run).id == 0


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("PutArtifacts", b"", 12),
        ("GetArtifactTypes", b"", 3),
        ("GetArtifactTypes", b"\x00\x00\x00\x00\x09x", 3),
        ("GetExecutionsByContext", b"\x00\x00\x00\x00\x01\x0a", 3),
    ],
)
def test_invalid_calls_return_a_grpc_status(server, method, body, status):
    with pytest.raises(grpc_web.GrpcWebError) as raised:
        send(server, method, body)
    assert raised.value.status == status


def test_foreign_page_token_returns_a_grpc_status(server, run):
    options = {"next_page_token": "theirs"}
    with pytest.raises(grpc_web.GrpcWebError) as raised:
        ask(server, "GetExecutionsByContext", context_id=context(server, run).id, options=options)
    assert raised.value.status == 3
