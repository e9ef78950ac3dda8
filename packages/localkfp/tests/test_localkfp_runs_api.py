"""REST responses about runs: fields, parameters, lists, and invalid requests."""

import pytest
from localkfp import run_state

from packages.localkfp.tests.conftest import assert_error, make_server, names, predicates, spec


def test_waiting_run_has_the_same_fields_as_in_kubeflow(server):
    made = server.run("r", description="d", runtime_config={"parameters": {}, "pipeline_root": "minio://b/x"})
    run = server.get(f"/runs/{made['run_id']}").json()
    assert run["state"] == "PENDING"
    assert run["finished_at"] == run["scheduled_at"] == "1970-01-01T00:00:00Z"
    assert run["pipeline_spec"] == spec()
    assert run["runtime_config"] == {"parameters": {}, "pipeline_root": "minio://b/x"}
    assert run["run_details"] == {}
    assert [item["state"] for item in run["state_history"]] == ["PENDING"]
    default = server.get("/experiments").json()["experiments"][0]
    assert run["experiment_id"] == default["experiment_id"]
    assert default["last_run_created_at"] == run["created_at"]


def test_run_of_a_version_has_a_reference_instead_of_a_spec(server):
    pipeline = server.upload(name="mine").json()["pipeline_id"]
    newest = server.upload("/pipelines/upload_version", name="v2", pipelineid=pipeline).json()
    made = server.post(
        "/runs", {"display_name": "newest", "pipeline_version_reference": {"pipeline_id": pipeline}}
    ).json()
    assert "pipeline_spec" not in made
    assert made["pipeline_version_reference"] == {
        "pipeline_id": pipeline,
        "pipeline_version_id": newest["pipeline_version_id"],
    }


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({}, 400, "neither"),
        ({"pipeline_spec": {"a": 1}}, 400, "not a compiled pipeline"),
        ({"pipeline_spec": "text"}, 400, "must be an object"),
        ({"pipeline_spec": spec(), "experiment_id": "nobody"}, 404, "Experiment nobody"),
        ({"pipeline_version_reference": {"pipeline_id": "x", "pipeline_version_id": "y"}}, 404, "PipelineVersion"),
        ({"pipeline_version_reference": "text"}, 400, "must be an object"),
        ({"pipeline_spec": spec(), "display_name": 3}, 400, "display_name"),
        ({"pipeline_spec": spec(), "runtime_config": []}, None, ""),
        ({"pipeline_spec": spec(), "runtime_config": "x"}, 400, "runtime_config"),
        ({"pipeline_spec": spec(), "runtime_config": {"parameters": [1]}}, 400, "must be an object"),
    ],
)
def test_invalid_run_is_refused(server, body, status, text):
    answer = server.post("/runs", {"display_name": "named", **body})
    if status is None:
        assert answer.status_code == 200
    else:
        assert_error(answer, status, text)


def test_run_without_name_or_with_plugin_settings_is_refused(server):
    assert_error(server.post("/runs", {"pipeline_spec": spec()}), 400, "display_name")
    body = {"display_name": "named", "pipeline_spec": spec(), "plugins_input": {"mlflow": {}}}
    assert_error(server.post("/runs", body), 400, "no plugins")


@pytest.mark.parametrize("path", ["/pipelines", "/pipelines/create", "/pipelines/x/versions", "/workflows"])
def test_unsupported_method_returns_501_with_a_message(server, path):
    assert_error(server.post(path, {}), 501, "localkfp")


def test_body_that_is_not_json_is_refused(server):
    for content in (b"{", b"[1]", b"\xff"):
        assert_error(server.call("POST", "/apis/v2beta1/runs", data=content), 400, "JSON")


INTEGER = {"parameterType": "NUMBER_INTEGER"}


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("NUMBER_INTEGER", 3, 3),
        ("NUMBER_INTEGER", 3.0, 3),
        ("NUMBER_INTEGER", "3", 3),
        ("NUMBER_DOUBLE", "0.5", 0.5),
        ("BOOLEAN", "True", True),
        ("LIST", "[1, 2]", [1, 2]),
        ("STRUCT", {"a": 1}, {"a": 1}),
        ("STRING", "3", "3"),
    ],
)
def test_parameters_are_converted_to_their_type(server, kind, given, kept):
    wanted = spec(n={"parameterType": kind})
    made = server.run(pipeline_spec=wanted, runtime_config={"parameters": {"n": given}})
    assert made["runtime_config"]["parameters"] == {"n": kept}


@pytest.mark.parametrize(
    ("declared", "given", "text"),
    [
        ({"n": INTEGER}, {}, "needs a value for parameter 'n'"),
        ({"n": INTEGER}, {"n": 1, "m": 2}, "no parameter 'm'"),
        ({"n": INTEGER}, {"n": "x"}, "must be a NUMBER_INTEGER"),
        ({"n": INTEGER}, {"n": 1.5}, "must be a NUMBER_INTEGER"),
        ({"n": INTEGER}, {"n": True}, "must be a NUMBER_INTEGER"),
        ({"n": {"parameterType": "STRING"}}, {"n": 3}, "must be a STRING"),
        ({"n": {"parameterType": "LIST"}}, {"n": {}}, "must be a LIST"),
    ],
)
def test_invalid_parameters_are_refused(server, declared, given, text):
    body = {"display_name": "named", "pipeline_spec": spec(**declared), "runtime_config": {"parameters": given}}
    assert_error(server.post("/runs", body), 400, text)


def test_optional_parameters_may_be_omitted(server):
    wanted = spec(n={**INTEGER, "isOptional": True}, m={**INTEGER, "defaultValue": 4.0})
    assert server.run(pipeline_spec=wanted)["runtime_config"]["parameters"] == {}


def test_runs_are_filtered_sorted_and_paged(server):
    for name in ("apple", "Banana", "cherry", "apricot"):
        server.run(name)
    contains = predicates({"operation": "IS_SUBSTRING", "key": "name", "string_value": "AP"})
    assert names(server.get("/runs", filter=contains, sort_by="name asc"), "runs") == ["apple", "apricot"]
    assert names(server.get("/runs", sort_by="created_at desc"), "runs") == ["apricot", "cherry", "Banana", "apple"]
    seen, token = [], ""
    while True:
        page = server.get("/runs", sort_by="created_at", page_size=3, page_token=token).json()
        assert page["total_size"] == 4
        seen += [item["display_name"] for item in page["runs"]]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert seen == ["apple", "Banana", "cherry", "apricot"]


def test_runs_are_found_by_state_experiment_and_time(server):
    other = server.post("/experiments", {"display_name": "e"}).json()["experiment_id"]
    pipeline = server.upload(name="mine").json()["pipeline_id"]
    server.run("plain")
    server.run("elsewhere", experiment_id=other)
    server.post("/runs", {"display_name": "versioned", "pipeline_version_reference": {"pipeline_id": pipeline}})

    def found(*wanted, **query):
        return sorted(names(server.get("/runs", filter=predicates(*wanted), **query), "runs"))

    assert found(experiment_id=other) == ["elsewhere"]
    assert found({"operation": "EQUALS", "key": "experiment_id", "string_value": other}) == ["elsewhere"]
    # Kubeflow does not have this key either.
    by_pipeline = predicates({"operation": "EQUALS", "key": "pipeline_id", "string_value": pipeline})
    assert_error(server.get("/runs", filter=by_pipeline), 400, "pipeline_id")
    # A run without a schedule does not equal the schedule. SQL's NULL must not exclude the run.
    assert len(found({"operation": "NOT_EQUALS", "key": "recurring_run_id", "string_value": "x"})) == 3
    states = {"operation": "IN", "key": "state", "string_values": {"values": ["PENDING", "RUNNING"]}}
    assert len(found(states)) == 3
    assert found({**states, "string_values": {"values": ["FAILED"]}}) == []
    later = {"operation": "GREATER_THAN", "key": "created_at", "timestamp_value": "2000-01-01T00:00:00Z"}
    assert len(found(later)) == 3
    assert found({**later, "operation": "LESS_THAN"}) == []


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "{"},
        {"filter": "[1]"},
        {"filter": '{"predicates": ["x"]}'},
        {"filter": predicates({"operation": "EQUALS", "key": "nothing", "string_value": "x"})},
        {"filter": predicates({"operation": "DROP", "key": "name", "string_value": "x"})},
        {"filter": predicates({"operation": "EQUALS", "key": "name"})},
        {"filter": predicates({"operation": "EQUALS", "key": "name", "string_value": ["x"]})},
        {"filter": predicates({"operation": "IN", "key": "name", "string_value": "x"})},
        {"filter": predicates({"operation": "EQUALS", "key": "created_at", "timestamp_value": "noon"})},
        {"sort_by": "nothing"},
        {"sort_by": "name sideways"},
        {"sort_by": "name; DROP TABLE runs"},
        {"page_size": "many"},
        {"page_size": "-1"},
        {"page_token": "???"},
        {"page_token": "bm90IG91cnM="},
    ],
)
def test_invalid_list_query_returns_400(server, query):
    server.run()
    assert_error(server.get("/runs", **query), 400, "")


def test_run_can_be_archived_terminated_retried_and_deleted(server):
    run = f"/runs/{server.run()['run_id']}"
    server.post(f"{run}:archive")
    archived = predicates({"operation": "NOT_EQUALS", "key": "storage_state", "string_value": "ARCHIVED"})
    assert names(server.get("/runs", filter=archived), "runs") == []
    server.post(f"{run}:unarchive")
    assert_error(server.post(f"{run}:retry"), 409, "only failed or canceled")
    assert server.post(f"{run}:terminate").status_code == 200
    assert server.get(run).json()["state"] == "CANCELED"
    assert_error(server.post(f"{run}:terminate"), 400, "cannot be terminated")
    assert server.post(f"{run}:retry").status_code == 200
    assert server.get(run).json()["state"] == "PENDING"
    assert server.delete(run).status_code == 200
    for answer in (server.get(run), server.delete(run), server.post(f"{run}:terminate")):
        assert_error(answer, 404, "not found")


def test_empty_fields_are_omitted_and_unknown_paths_return_404(server):
    assert server.get("/recurringruns").json() == {}
    assert server.get("/runs").json() == {}
    assert server.get("/healthz").json() == {
        "commit_sha": "", "tag_name": "localkfp", "multi_user": False, "pipeline_store": "database",
    }  # fmt: skip
    made = server.run("plain")
    assert "description" not in made
    assert made["runtime_config"] == {"parameters": {}}
    assert_error(server.get("/nothing"), 404, "Not Found")
    assert_error(server.call("PUT", "/apis/v2beta1/runs"), 501, "")


def test_stored_run_survives_a_restart(server, http, tmp_path):
    made = server.run("kept")
    again = make_server(http, tmp_path)
    assert again.get(f"/runs/{made['run_id']}").json()["display_name"] == "kept"
    again.store.close()


def test_retried_run_waits_until_its_previous_process_has_ended(server):
    first, second = server.run("first")["run_id"], server.run("second")["run_id"]
    assert run_state.claim_next(server.store, {first})["id"] == second
    assert run_state.claim_next(server.store, {first}) is None
    assert run_state.claim_next(server.store, set())["id"] == first
    assert server.get(f"/runs/{first}").json()["state"] == "RUNNING"
