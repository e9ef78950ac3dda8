"""Recurring runs: schedules that start runs."""

from __future__ import annotations

import pytest

from tests.kubeflow_contract.asking import SPEC, all_pages, names, predicates, refusal

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
MISSING = "00000000-0000-4000-8000-000000000000"
YEARLY = {"cron_schedule": {"cron": "0 0 0 1 1 *"}}


def _body(name, **changes):
    return {
        "display_name": name, "mode": "ENABLE", "max_concurrency": "2", "pipeline_spec": SPEC,
        "runtime_config": {"parameters": {"text": "z"}}, "trigger": YEARLY, **changes,
    }  # fmt: skip


def test_a_schedule_is_made_read_switched_and_deleted(server):
    experiment = server.post("experiments", {"display_name": server.fresh("scheduled")})["experiment_id"]
    name = server.fresh("nightly")
    made = server.post("recurringruns", _body(name, experiment_id=experiment, description="words"))
    path = f"recurringruns/{made['recurring_run_id']}"
    read = server.get(path)
    assert read["trigger"]["cron_schedule"]["cron"] == "0 0 0 1 1 *"
    assert {key: read[key] for key in ("display_name", "description", "max_concurrency", "mode", "status")} == {
        "display_name": name, "description": "words", "max_concurrency": "2", "mode": "ENABLE", "status": "ENABLED",
    }  # fmt: skip
    assert read["runtime_config"]["parameters"] == {"text": "z"}
    assert read["experiment_id"] == experiment
    assert None not in read.values()
    # This is the only list of the API with a camel case name.
    listed = server.get("recurringruns", experiment_id=experiment)
    assert [row["recurring_run_id"] for row in listed["recurringRuns"]] == [made["recurring_run_id"]]
    assert server.post(f"{path}:disable") == {}
    assert server.get(path)["status"] == "DISABLED"
    assert server.post(f"{path}:enable") == {}
    assert server.get(path)["status"] == "ENABLED"
    assert server.good(server.ask("DELETE", path)) == {}
    assert refusal(server.ask("GET", path)) == (404, 5)


@pytest.mark.parametrize(
    "trigger",
    [
        {"periodic_schedule": {"interval_second": "3600"}},
        {"periodic_schedule": {"interval_second": "60", "start_time": "2100-01-01T00:00:00Z"}},
        {"cron_schedule": {"cron": "@daily", "end_time": "2000-01-01T00:00:00Z"}},
        {"cron_schedule": {"cron": "0 0 * * * ?"}},
    ],
    ids=str,
)
def test_a_trigger_is_kept_as_it_is(server, trigger):
    made = server.post("recurringruns", _body(server.fresh("kept"), trigger=trigger))
    assert server.get(f"recurringruns/{made['recurring_run_id']}")["trigger"] == trigger
    server.good(server.ask("DELETE", f"recurringruns/{made['recurring_run_id']}"))


def test_a_schedule_that_is_off_is_made(server):
    made = server.post("recurringruns", _body(server.fresh("off"), mode="DISABLE", no_catchup=True))
    read = server.get(f"recurringruns/{made['recurring_run_id']}")
    assert (read["mode"], read["status"], read["no_catchup"]) == ("DISABLE", "DISABLED", True)


def test_a_schedule_of_a_version_refers_to_it(server):
    pipeline = server.upload(server.fresh("pipeline"))["pipeline_id"]
    (version,) = server.get(f"pipelines/{pipeline}/versions")["pipeline_versions"]
    reference = {"pipeline_id": pipeline, "pipeline_version_id": version["pipeline_version_id"]}
    body = _body(server.fresh("referring"), pipeline_version_reference=reference)
    del body["pipeline_spec"]
    made = server.post("recurringruns", body)
    assert server.get(f"recurringruns/{made['recurring_run_id']}")["pipeline_version_reference"] == reference


@pytest.fixture(scope="module")
def listed(server, request):
    """Creates three schedules in a new experiment, oldest first."""
    server.begin(f"{request.node.path.stem}::listed")
    experiment = server.post("experiments", {"display_name": server.fresh("listed")})["experiment_id"]
    prefix = server.fresh("listed")
    made = [server.post("recurringruns", _body(f"{prefix}-{letter}", experiment_id=experiment)) for letter in "abc"]
    return experiment, prefix, made


@pytest.mark.parametrize(
    "sort", ["id", "recurring_run_id", "name", "display_name", "created_at", "updated_at", "description"]
)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_schedules_are_sorted_and_paged_without_loss(server, listed, sort, direction):
    experiment, _, made = listed
    query = {"experiment_id": experiment, "sort_by": f"{sort} {direction}", "page_size": 2}
    found = all_pages(server, "recurringruns", key="recurringRuns", **query)
    assert sorted(row["recurring_run_id"] for row in found) == sorted(row["recurring_run_id"] for row in made)
    if sort.endswith("name"):
        assert [row["display_name"][-1] for row in found] == list("abc" if direction == "asc" else "cba")


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", "{prefix}-b"), ("display_name", "{prefix}-b"), ("id", "{b}"), ("recurring_run_id", "{b}")],
    ids=["name", "display_name", "id", "recurring_run_id"],
)
def test_schedules_are_filtered(server, listed, key, value):
    _, prefix, made = listed
    filled = value.replace("{prefix}", prefix).replace("{b}", made[1]["recurring_run_id"])
    asked = predicates({"operation": "EQUALS", "key": key, "string_value": filled})
    assert names(server.get("recurringruns", filter=asked), "recurringRuns") == [f"{prefix}-b"]


@pytest.mark.parametrize(
    "query",
    [
        {"sort_by": "nonsense"},
        {"page_token": "nonsense"},
        {"page_size": -1},
        {"filter": predicates({"operation": "EQUALS", "key": "nonsense", "string_value": "x"})},
        {"filter": predicates({"operation": "EQUALS", "key": "status", "string_value": "x"})},
    ],
    ids=str,
)
def test_a_wrong_question_is_refused(server, query):
    assert refusal(server.ask("GET", "recurringruns", **query)) == (400, 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"trigger": {"cron_schedule": {"cron": "soon"}}},
        {"trigger": {"periodic_schedule": {"interval_second": "0"}}},
        {"max_concurrency": "0"},
        {"max_concurrency": "11"},
        {"mode": "SOMETIMES"},
    ],
    ids=str,
)
def test_a_schedule_that_never_comes_is_refused(server, changes):
    assert refusal(server.ask("POST", "recurringruns", _body(server.fresh("never"), **changes))) == (400, 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"pipeline_spec": None},
        {"runtime_config": {"parameters": {"nonsense": 1, "text": "x"}}},
        {"experiment_id": MISSING},
        {"display_name": ""},
    ],
    ids=["no pipeline", "unknown parameter", "unknown experiment", "no name"],
)
def test_a_schedule_that_cannot_be_is_refused(server, changes):
    status = refusal(server.ask("POST", "recurringruns", _body(server.fresh("never"), **changes)))[0]
    assert status in {400, 404, 500}


@pytest.mark.parametrize("action", ["", ":enable", ":disable"])
def test_a_schedule_that_is_not_there_is_not_found(server, action):
    method = "POST" if action else "GET"
    assert refusal(server.ask(method, f"recurringruns/{MISSING}{action}", {})) == (404, 5)


def test_deleting_a_schedule_that_is_not_there_is_not_found(server):
    assert refusal(server.ask("DELETE", f"recurringruns/{MISSING}")) == (404, 5)
