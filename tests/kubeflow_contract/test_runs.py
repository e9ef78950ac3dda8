"""Read runs: fields, filters, sort orders, pages, and refused requests."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta

import pytest

from tests.kubeflow_contract.asking import all_pages, names, predicates, refusal

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
MISSING = "00000000-0000-4000-8000-000000000000"


def test_a_run_has_the_fields_that_readers_use(server, runs):
    run = server.get(f"runs/{runs[2][0]['run_id']}")
    needed = {"run_id", "display_name", "experiment_id", "storage_state", "created_at", "state", "runtime_config"}
    assert needed <= run.keys()
    assert run["runtime_config"]["parameters"]["text"] == "x"
    assert run["storage_state"] == "AVAILABLE"
    # The time of an event that has not happened is in 1970, and never null.
    assert None not in run.values()
    assert datetime.fromisoformat(run["created_at"]) > server.now - timedelta(hours=1)


def test_a_run_without_words_has_no_description(server, runs):
    assert "description" not in server.get(f"runs/{runs[2][0]['run_id']}")


def test_a_run_of_a_spec_has_the_spec(server, runs):
    run = server.get(f"runs/{runs[2][0]['run_id']}")
    assert run["pipeline_spec"]["pipelineInfo"] == {"name": "contract"}


def test_a_run_of_a_version_refers_to_it(server):
    name = server.fresh("referred")
    pipeline = server.upload(name)["pipeline_id"]
    (version,) = server.get(f"pipelines/{pipeline}/versions")["pipeline_versions"]
    reference = {"pipeline_id": pipeline, "pipeline_version_id": version["pipeline_version_id"]}
    made = server.post("runs", server.run_body(server.fresh("run"), reference=reference))
    read = server.get(f"runs/{made['run_id']}")
    assert read["pipeline_version_reference"] == reference
    assert "pipeline_spec" not in read


def test_a_run_of_a_pipeline_takes_its_newest_version(server):
    name = server.fresh("newest")
    pipeline = server.upload(name)["pipeline_id"]
    reference = {"pipeline_id": pipeline}
    made = server.post("runs", server.run_body(server.fresh("run"), reference=reference))
    (version,) = server.get(f"pipelines/{pipeline}/versions")["pipeline_versions"]
    assert made["pipeline_version_reference"]["pipeline_version_id"] == version["pipeline_version_id"]


def _equals(key, value):
    return {"operation": "EQUALS", "key": key, "string_value": value}


def _time(operation, key, moment):
    return {"operation": operation, "key": key, "timestamp_value": moment}


AFTER = "2000-01-01T00:00:00Z"
PREDICATES = {
    "EQUALS": (_equals("name", "{prefix}-b"), "b"),
    "EQUALS by number": ({"operation": 1, "key": "name", "stringValue": "{prefix}-b"}, "b"),
    "NOT_EQUALS": ({"operation": "NOT_EQUALS", "key": "name", "string_value": "{prefix}-b"}, "ac"),
    "IS_SUBSTRING": ({"operation": "IS_SUBSTRING", "key": "name", "string_value": "{prefix}"}, "abc"),
    "IS_SUBSTRING in the middle": ({"operation": "IS_SUBSTRING", "key": "name", "string_value": "-b"}, "b"),
    "any letter": ({"operation": "IS_SUBSTRING", "key": "name", "string_value": "run_"}, "abc"),
    "an underscore": ({"operation": "IS_SUBSTRING", "key": "name", "string_value": "run\\_"}, ""),
    "IN": ({"operation": "IN", "key": "name", "string_values": {"values": ["{prefix}-a", "{prefix}-c"]}}, "ac"),
    "GREATER_THAN": (_time("GREATER_THAN", "created_at", AFTER), "abc"),
    "GREATER_THAN_EQUALS": (_time("GREATER_THAN_EQUALS", "created_at", AFTER), "abc"),
    "LESS_THAN": (_time("LESS_THAN", "created_at", AFTER), ""),
    "LESS_THAN_EQUALS": (_time("LESS_THAN_EQUALS", "created_at", AFTER), ""),
    "display_name": (_equals("display_name", "{prefix}-c"), "c"),
    "id": (_equals("id", "{b}"), "b"),
    "run_id": (_equals("run_id", "{b}"), "b"),
    "run_id IN": ({"operation": "IN", "key": "run_id", "string_values": {"values": ["{b}", MISSING]}}, "b"),
    "storage_state": (_equals("storage_state", "ARCHIVED"), ""),
    "not archived": ({"operation": "NOT_EQUALS", "key": "storage_state", "string_value": "ARCHIVED"}, "abc"),
    "experiment_id": (_equals("experiment_id", "{experiment}"), "abc"),
    "recurring_run_id": (_equals("recurring_run_id", MISSING), ""),
    "state": (_equals("state", "NO_SUCH_STATE"), ""),
    "state IN": ({"operation": "IN", "key": "state", "string_values": {"values": ["SKIPPED", "PAUSED"]}}, ""),
    "scheduled_at": (_time("GREATER_THAN", "scheduled_at", "2100-01-01T00:00:00Z"), ""),
    "finished_at": (_time("GREATER_THAN", "finished_at", "2100-01-01T00:00:00Z"), ""),
    "description": (_equals("description", "no such words"), ""),
}


def _filled(predicate, runs):
    experiment, prefix, made = runs
    text = json.dumps(predicate).replace("{prefix}", prefix).replace("{experiment}", experiment)
    return json.loads(text.replace("{b}", made[1]["run_id"]))


@pytest.mark.parametrize("name", sorted(PREDICATES))
def test_runs_are_filtered_by_each_predicate(server, runs, name):
    experiment, prefix, _ = runs
    predicate, wanted = PREDICATES[name]
    found = server.get("runs", experiment_id=experiment, filter=predicates(_filled(predicate, runs)), page_size=100)
    assert sorted(names(found, "runs")) == [f"{prefix}-{letter}" for letter in wanted]


def test_all_predicates_must_hold(server, runs):
    experiment, prefix, _ = runs
    asked = [_filled(PREDICATES[name][0], runs) for name in ("NOT_EQUALS", "IN", "display_name")]
    found = server.get("runs", experiment_id=experiment, filter=predicates(*asked))
    assert names(found, "runs") == [f"{prefix}-c"]


def test_a_filter_is_decoded_like_a_part_of_an_address(server):
    experiment = server.post("experiments", {"display_name": server.fresh("decoded")})["experiment_id"]
    for name in ("a+b", "a b", "50%"):
        server.start(name, experiment_id=experiment)

    def found(text):
        asked = text if text.startswith("{") else predicates(_equals("name", text))
        return names(server.get("runs", experiment_id=experiment, filter=asked), "runs")

    assert found("a+b") == ["a b"]
    assert found("a%2Bb") == ["a+b"]
    assert found(predicates(_equals("name", "PLUS")).replace("PLUS", r"a\u002bb")) == ["a+b"]
    asked = predicates(_equals("name", "50%"))
    assert refusal(server.ask("GET", "runs", experiment_id=experiment, filter=asked)) == (400, 3)
    assert found(asked.replace("%", r"\u0025")) == ["50%"]


SORTS = [
    "id", "run_id", "name", "display_name", "created_at", "finished_at", "scheduled_at", "state", "storage_state",
    "description", "status",
]  # fmt: skip


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("direction", ["", "asc", "desc"])
def test_runs_are_sorted_and_paged_without_loss(server, runs, sort, direction):
    experiment, _, made = runs
    found = all_pages(server, "runs", experiment_id=experiment, sort_by=f"{sort} {direction}".strip(), page_size=2)
    assert sorted(row["run_id"] for row in found) == sorted(row["run_id"] for row in made)
    if sort.endswith("name"):
        assert [row["display_name"][-1] for row in found] == list("cba" if direction == "desc" else "abc")


def test_the_oldest_run_is_first_where_nobody_says_how(server, runs):
    found = all_pages(server, "runs", experiment_id=runs[0], page_size=1)
    times = [row["created_at"] for row in found]
    assert times == sorted(times)
    assert len({row["run_id"] for row in found}) == 3


def test_a_page_says_how_many_there_are(server, runs):
    page = server.get("runs", experiment_id=runs[0], page_size=2)
    assert (len(page["runs"]), page["total_size"]) == (2, 3)
    rest = server.get("runs", experiment_id=runs[0], page_size=2, page_token=page["next_page_token"])
    assert rest["total_size"] == 3
    assert "next_page_token" not in rest


def test_a_token_remembers_order_and_filter(server, runs):
    experiment, prefix, _ = runs
    asked = predicates({"operation": "NOT_EQUALS", "key": "name", "string_value": f"{prefix}-b"})
    query = {"experiment_id": experiment, "page_size": 1}
    first = server.get("runs", sort_by="name desc", filter=asked, **query)
    rest = server.get("runs", page_token=first["next_page_token"], **query)
    assert [*names(first, "runs"), *names(rest, "runs")] == [f"{prefix}-c", f"{prefix}-a"]


@pytest.mark.parametrize("changed", [{"sort_by": "name asc"}, {"filter": predicates(_equals("name", "x"))}], ids=str)
def test_a_token_of_another_question_is_refused(server, runs, changed):
    query = {"experiment_id": runs[0], "page_size": 1, "sort_by": "name desc"}
    token = server.get("runs", **query)["next_page_token"]
    assert refusal(server.ask("GET", "runs", page_token=token, **{**query, **changed})) == (400, 3)


def test_a_page_has_at_most_200_rows(server, runs):
    assert len(server.get("runs", experiment_id=runs[0], page_size=100_000)["runs"]) == 3


def test_an_empty_list_is_left_out(server):
    experiment = server.post("experiments", {"display_name": server.fresh("empty")})["experiment_id"]
    assert server.get("runs", experiment_id=experiment) == {}


def test_runs_of_an_experiment_that_is_not_there_are_not_found(server):
    assert refusal(server.ask("GET", "runs", experiment_id=MISSING)) == (404, 5)


@pytest.mark.parametrize(
    "query",
    [
        {"sort_by": "nonsense"},
        {"sort_by": "pipeline_id"},
        {"sort_by": "name sideways"},
        {"sort_by": "name asc extra"},
        {"page_token": "nonsense"},
        {"page_token": base64.b64encode(b"[]").decode()},
        {"page_size": -1},
        {"page_size": "many"},
        {"filter": "nonsense"},
        {"filter": '{"predicates": 3}'},
        {"filter": '{"nonsense": []}'},
        {"filter": predicates(_equals("nonsense", "x"))},
        {"filter": predicates(_equals("pipeline_id", "x"))},
        {"filter": predicates({"operation": "NONSENSE", "key": "name", "string_value": "x"})},
        {"filter": predicates({"operation": "IN", "key": "name", "string_value": "x"})},
        {"filter": predicates({"operation": "EQUALS", "key": "name", "string_values": {"values": ["x"]}})},
        {"filter": predicates({"operation": "IS_SUBSTRING", "key": "name", "int_value": 3})},
        {"filter": predicates({"operation": "LESS_THAN", "key": "created_at", "timestamp_value": "soon"})},
        {"filter": predicates({"operation": "EQUALS", "key": "name", "no_value": "x"})},
    ],
    ids=str,
)
def test_a_wrong_question_is_refused_as_one(server, query):
    assert refusal(server.ask("GET", "runs", **query)) == (400, 3)


@pytest.mark.parametrize("action", ["", ":archive", ":unarchive", ":terminate", ":retry"])
def test_a_run_that_is_not_there_is_not_found(server, action):
    method = "POST" if action else "GET"
    assert refusal(server.ask(method, f"runs/{MISSING}{action}", {})) == (404, 5)


@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [("GET", "nonsense", (404, 5)), ("DELETE", "runs", (501, 12)), ("POST", f"runs/{MISSING}:nonsense", (501, 12))],
    ids=["no such address", "no such method", "no such action"],
)
def test_an_address_that_is_not_there_is_refused(server, method, path, wanted):
    assert refusal(server.ask(method, path)) == wanted
