"""What the portal, kfp.Client and scripts use of Kubeflow's API: the same from the embedded Kubeflow and a real one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from kfp.kubeflow_client import KubernetesBackendConfig, PipelinesClient

from tests.kubeflow_contract.asking import SPEC, fresh, predicates, refusal

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def names(answer, key):
    return [row["display_name"] for row in answer.get(key, [])]


# Health and experiments.


def test_healthz_says_who_is_served(server, client):
    assert server.get("healthz")["multi_user"] is False
    assert client.get_kfp_healthz().multi_user is False


def test_there_is_a_default_experiment(server):
    assert "Default" in names(server.get("experiments", page_size=200), "experiments")


def test_an_experiment_is_made_found_archived_and_deleted(server, client):
    name = fresh("experiment")
    made = client.create_experiment(name, description="words")
    assert client.create_experiment(name).experiment_id == made.experiment_id
    read = server.get(f"experiments/{made.experiment_id}")
    assert {name: read[name] for name in ("display_name", "description", "storage_state")} == {
        "display_name": name, "description": "words", "storage_state": "AVAILABLE",
    }  # fmt: skip
    assert client.get_experiment(experiment_name=name).experiment_id == made.experiment_id
    client.archive_experiment(made.experiment_id)
    assert server.get(f"experiments/{made.experiment_id}")["storage_state"] == "ARCHIVED"
    client.unarchive_experiment(made.experiment_id)
    client.delete_experiment(made.experiment_id)
    assert refusal(server.ask("GET", f"experiments/{made.experiment_id}")) == (404, 5)


def test_an_experiment_of_the_same_name_is_refused(server):
    name = fresh("twice")
    server.post("experiments", {"display_name": name})
    assert refusal(server.ask("POST", "experiments", {"display_name": name})) == (409, 6)
    # Kubeflow 2.17 calls its own check an internal error.
    assert refusal(server.ask("POST", "experiments", {}))[0] in {400, 500}


# Pipelines and versions.


def test_a_pipeline_is_uploaded_read_and_deleted(server, client, tmp_path):
    name = fresh("pipeline")
    package = tmp_path / "contract.yaml"
    package.write_text(json.dumps(SPEC))
    made = client.upload_pipeline(str(package), pipeline_name=name, description="words")
    assert client.get_pipeline_id(name) == made.pipeline_id
    assert client.get_pipeline(made.pipeline_id).display_name == name
    (version,) = client.list_pipeline_versions(made.pipeline_id).pipeline_versions
    assert version.display_name == name
    read = server.get(f"pipelines/{made.pipeline_id}/versions/{version.pipeline_version_id}")
    assert read["pipeline_spec"]["pipelineInfo"] == {"name": "contract"}
    assert refusal(server.ask("DELETE", f"pipelines/{made.pipeline_id}"))[0] == 400
    client.delete_pipeline_version(made.pipeline_id, version.pipeline_version_id)
    client.delete_pipeline(made.pipeline_id)
    assert refusal(server.ask("GET", f"pipelines/{made.pipeline_id}")) == (404, 5)


def test_versions_are_added_and_listed_newest_first_where_asked(server):
    name = fresh("versions")
    pipeline = server.upload(name)["pipeline_id"]
    for number in (2, 3):
        server.upload(f"{name}-v{number}", "pipelines/upload_version", pipelineid=pipeline)
    listed = server.get(f"pipelines/{pipeline}/versions", sort_by="created_at desc", page_size=2)
    assert len(listed["pipeline_versions"]) == 2
    assert listed["total_size"] == 3
    rest = server.get(
        f"pipelines/{pipeline}/versions", sort_by="created_at desc", page_size=2, page_token=listed["next_page_token"]
    )
    found = [*names(listed, "pipeline_versions"), *names(rest, "pipeline_versions")]
    assert sorted(found) == sorted([name, f"{name}-v2", f"{name}-v3"])
    assert "next_page_token" not in rest


def test_a_pipeline_of_the_same_name_is_refused(server):
    name = fresh("same")
    server.upload(name)
    files = {"uploadfile": ("contract.json", json.dumps(SPEC))}
    url = f"{server.host}/apis/v2beta1/pipelines/upload"
    answer = server.session.post(url, files=files, params={"name": name}, timeout=30)
    assert answer.status_code == 409
    # Uploads are no gRPC calls, and have errors of their own form.
    assert answer.json().keys() == {"error_message", "error_details"}
    assert "pipeline" in answer.json()["error_message"].lower()


# Runs.


@pytest.fixture(scope="module")
def runs(server):
    """Three runs of an experiment of their own, oldest first."""
    experiment = server.post("experiments", {"display_name": fresh("runs")})["experiment_id"]
    prefix = fresh("run")
    made = [server.start(f"{prefix}-{letter}", experiment_id=experiment) for letter in "abc"]
    return experiment, prefix, made


def test_a_run_has_the_fields_that_readers_use(server, runs):
    run = server.get(f"runs/{runs[2][0]['run_id']}")
    needed = {"run_id", "display_name", "experiment_id", "storage_state", "created_at", "state", "runtime_config"}
    assert needed <= run.keys()
    assert run["runtime_config"]["parameters"]["text"] == "x"
    assert run["storage_state"] == "AVAILABLE"
    # What has not happened yet is 1970, and never null.
    assert None not in run.values()
    assert datetime.fromisoformat(run["created_at"]) > datetime.now(UTC) - timedelta(hours=1)


def test_a_run_of_a_version_refers_to_it(server):
    name = fresh("referred")
    pipeline = server.upload(name)["pipeline_id"]
    (version,) = server.get(f"pipelines/{pipeline}/versions")["pipeline_versions"]
    reference = {"pipeline_id": pipeline, "pipeline_version_id": version["pipeline_version_id"]}
    made = server.post(
        "runs",
        {
            "display_name": fresh("run"),
            "pipeline_version_reference": reference,
            "runtime_config": {"parameters": {"text": "y"}},
        },
    )
    read = server.get(f"runs/{made['run_id']}")
    assert read["pipeline_version_reference"] == reference


AFTER_2000 = {"operation": "GREATER_THAN", "key": "created_at", "timestamp_value": "2000-01-01T00:00:00Z"}
BEFORE_2000 = {**AFTER_2000, "operation": "LESS_THAN"}
NO_VERSION = {"pipeline_id": "nothing", "pipeline_version_id": "nothing"}
PREDICATES = {
    "EQUALS": ({"operation": "EQUALS", "key": "name", "string_value": "{prefix}-b"}, "b"),
    "EQUALS by number": ({"operation": 1, "key": "name", "stringValue": "{prefix}-b"}, "b"),
    "NOT_EQUALS": ({"operation": "NOT_EQUALS", "key": "name", "string_value": "{prefix}-b"}, "ac"),
    "IS_SUBSTRING": ({"operation": "IS_SUBSTRING", "key": "name", "string_value": "{prefix}"}, "abc"),
    "IN": ({"operation": "IN", "key": "name", "string_values": {"values": ["{prefix}-a", "{prefix}-c"]}}, "ac"),
    "GREATER_THAN": (
        AFTER_2000,
        "abc",
    ),
    "LESS_THAN": (BEFORE_2000, ""),
    "storage_state": ({"operation": "EQUALS", "key": "storage_state", "string_value": "ARCHIVED"}, ""),
    "display_name": ({"operation": "EQUALS", "key": "display_name", "string_value": "{prefix}-c"}, "c"),
}


@pytest.mark.parametrize("name", sorted(PREDICATES))
def test_runs_are_filtered_by_each_predicate(server, runs, name):
    experiment, prefix, _ = runs
    predicate, wanted = PREDICATES[name]
    predicate = json.loads(json.dumps(predicate).replace("{prefix}", prefix))
    found = server.get("runs", experiment_id=experiment, filter=predicates(predicate), page_size=100)
    assert sorted(names(found, "runs")) == [f"{prefix}-{letter}" for letter in wanted]


@pytest.mark.parametrize("sort", ["created_at", "name", "finished_at", "id", "state", "storage_state"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_runs_are_sorted_and_paged_without_loss(server, runs, sort, direction):
    experiment, _, made = runs
    found, token = [], ""
    for _ in range(5):
        query = {"page_token": token} if token else {}
        page = server.get("runs", experiment_id=experiment, sort_by=f"{sort} {direction}", page_size=2, **query)
        found += page["runs"]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert sorted(row["run_id"] for row in found) == sorted(row["run_id"] for row in made)
    if sort == "name":
        assert [row["display_name"][-1] for row in found] == list("abc" if direction == "asc" else "cba")


@pytest.mark.parametrize(
    "query",
    [
        {"sort_by": "nonsense"},
        {"sort_by": "name sideways"},
        {"page_token": "nonsense"},
        {"page_size": -1},
        {"filter": "nonsense"},
        {"filter": predicates({"operation": "EQUALS", "key": "nonsense", "string_value": "x"})},
        {"filter": predicates({"operation": "NONSENSE", "key": "name", "string_value": "x"})},
    ],
    ids=str,
)
def test_a_wrong_question_is_refused_as_one(server, query):
    assert refusal(server.ask("GET", "runs", **query)) == (400, 3)


@pytest.mark.parametrize(
    "body",
    [
        {"display_name": "x"},
        {"display_name": "x", "pipeline_spec": SPEC, "experiment_id": "no-such-experiment"},
        {
            "display_name": "x",
            "pipeline_version_reference": {"pipeline_id": "nothing", "pipeline_version_id": "nothing"},
        },
    ],
    ids=["no pipeline", "no such experiment", "no such version"],
)
def test_a_run_that_cannot_be_is_refused(server, body):
    # As above: a missing pipeline is an internal error of Kubeflow's.
    assert refusal(server.ask("POST", "runs", body))[0] in {400, 404, 500}


def test_a_run_is_archived_unarchived_and_deleted(server, client, runs):
    run_id = server.start(fresh("short"))["run_id"]
    client.archive_run(run_id)
    assert client.get_run(run_id).storage_state == "ARCHIVED"
    client.unarchive_run(run_id)
    assert client.get_run(run_id).storage_state == "AVAILABLE"
    client.delete_run(run_id)
    assert refusal(server.ask("GET", f"runs/{run_id}")) == (404, 5)


@pytest.mark.parametrize("action", ["", ":archive", ":unarchive", ":terminate", ":retry"])
def test_a_run_that_is_not_there_is_not_found(server, action):
    method = "POST" if action else "GET"
    assert refusal(server.ask(method, f"runs/00000000-0000-4000-8000-000000000000{action}", {})) == (404, 5)


def test_a_run_is_terminated(server, client):
    run_id = server.start(fresh("ended"))["run_id"]
    client.terminate_run(run_id)
    assert client.get_run(run_id).state in {"CANCELING", "CANCELED"}


def test_an_empty_list_is_left_out(server):
    experiment = server.post("experiments", {"display_name": fresh("empty")})["experiment_id"]
    assert server.get("runs", experiment_id=experiment) == {}


# Recurring runs.


def test_a_recurring_run_is_made_switched_and_deleted(server, client):
    name = fresh("pipeline")
    pipeline = server.upload(name)["pipeline_id"]
    (version,) = server.get(f"pipelines/{pipeline}/versions")["pipeline_versions"]
    experiment = client.create_experiment(fresh("scheduled")).experiment_id
    made = client.create_recurring_run(
        experiment_id=experiment,
        job_name=fresh("nightly"),
        cron_expression="0 0 0 1 1 *",
        max_concurrency=2,
        pipeline_id=pipeline,
        version_id=version["pipeline_version_id"],
        params={"text": "z"},
    )
    read = server.get(f"recurringruns/{made.recurring_run_id}")
    assert read["trigger"]["cron_schedule"]["cron"] == "0 0 0 1 1 *"
    assert (read["max_concurrency"], read["mode"]) == ("2", "ENABLE")
    assert read["runtime_config"]["parameters"] == {"text": "z"}
    listed = server.get("recurringruns", experiment_id=experiment)
    assert [row["recurring_run_id"] for row in listed["recurringRuns"]] == [made.recurring_run_id]
    client.disable_recurring_run(made.recurring_run_id)
    assert client.get_recurring_run(made.recurring_run_id).status == "DISABLED"
    client.enable_recurring_run(made.recurring_run_id)
    assert client.get_recurring_run(made.recurring_run_id).status == "ENABLED"
    client.delete_recurring_run(made.recurring_run_id)
    assert refusal(server.ask("GET", f"recurringruns/{made.recurring_run_id}")) == (404, 5)


@pytest.mark.parametrize(
    "trigger", [{"cron_schedule": {"cron": "soon"}}, {"periodic_schedule": {"interval_second": "0"}}], ids=str
)
def test_a_schedule_that_never_comes_is_refused(server, trigger):
    body = {
        "display_name": fresh("never"), "mode": "ENABLE", "max_concurrency": "1", "pipeline_spec": SPEC,
        "runtime_config": {"parameters": {"text": "x"}}, "trigger": trigger,
    }  # fmt: skip
    assert refusal(server.ask("POST", "recurringruns", body)) == (400, 3)


# The newest client (KEP-125).


def test_the_pipelines_client_uploads_runs_lists_and_deletes(server, tmp_path):
    made = PipelinesClient(KubernetesBackendConfig(base_url=server.host, namespace="kubeflow"))
    package = tmp_path / "contract.yaml"
    package.write_text(json.dumps(SPEC))
    name = fresh("newest")
    made.upload_pipeline(str(package), name=name, version="v1")
    assert made.get_pipeline(name).display_name == name
    assert made.get_pipeline_version(name, "v1") is not None
    assert made.list_pipeline_versions(name).pipeline_versions
    assert name in [row.display_name for row in made.list_pipelines(page_size=100).pipelines]
    experiment = made.create_experiment(fresh("newest"))
    assert made.get_experiment(experiment.display_name).experiment_id == experiment.experiment_id
    run = made.run(name, version="v1", params={"text": "x"}, experiment=experiment.display_name)
    assert made.get_run(run.run_id).run_id == run.run_id
    assert [row.run_id for row in made.list_runs(experiment=experiment.display_name).runs] == [run.run_id]
    made.delete_pipeline(name, force=True)
