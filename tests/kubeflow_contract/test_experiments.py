"""Health and experiments."""

from __future__ import annotations

import pytest

from tests.kubeflow_contract.asking import all_pages, names, predicates, refusal

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
MISSING = "00000000-0000-4000-8000-000000000000"


def test_healthz_says_who_is_served(server):
    assert server.get("healthz")["multi_user"] is False


def test_there_is_a_default_experiment(server):
    (default,) = server.get("experiments", filter=predicates(_equals("display_name", "Default")))["experiments"]
    assert default["storage_state"] == "AVAILABLE"


def test_an_experiment_is_made_read_archived_and_deleted(server):
    name = server.fresh("experiment")
    made = server.post("experiments", {"display_name": name, "description": "words"})
    path = f"experiments/{made['experiment_id']}"
    read = server.get(path)
    assert {name: read[name] for name in ("display_name", "description", "storage_state")} == {
        "display_name": name, "description": "words", "storage_state": "AVAILABLE",
    }  # fmt: skip
    assert read["last_run_created_at"].startswith("1970-01-01")
    assert server.post(f"{path}:archive") == {}
    assert server.get(path)["storage_state"] == "ARCHIVED"
    assert server.post(f"{path}:unarchive") == {}
    assert server.get(path)["storage_state"] == "AVAILABLE"
    assert server.good(server.ask("DELETE", path)) == {}
    assert refusal(server.ask("GET", path)) == (404, 5)


def test_archiving_an_experiment_archives_its_runs(server):
    experiment = server.post("experiments", {"display_name": server.fresh("experiment")})["experiment_id"]
    run = server.start(server.fresh("run"), experiment_id=experiment)["run_id"]
    server.post(f"experiments/{experiment}:archive")
    assert server.get(f"runs/{run}")["storage_state"] == "ARCHIVED"
    server.post(f"experiments/{experiment}:unarchive")
    # The runs stay archived.
    assert server.get(f"runs/{run}")["storage_state"] == "ARCHIVED"


def test_an_experiment_knows_when_its_last_run_was_made(server):
    experiment = server.post("experiments", {"display_name": server.fresh("experiment")})["experiment_id"]
    run = server.start(server.fresh("run"), experiment_id=experiment)
    read = server.get(f"experiments/{experiment}")
    assert read["last_run_created_at"] == run["created_at"]


def test_an_experiment_of_the_same_name_is_refused(server):
    name = server.fresh("twice")
    server.post("experiments", {"display_name": name})
    assert refusal(server.ask("POST", "experiments", {"display_name": name})) == (409, 6)


def test_an_experiment_without_a_name_is_refused(server):
    # Kubeflow reports its own check as an internal error.
    assert refusal(server.ask("POST", "experiments", {}))[0] in {400, 500}


def test_an_experiment_that_is_not_there_is_not_found(server):
    assert refusal(server.ask("GET", f"experiments/{MISSING}")) == (404, 5)


def test_the_default_experiment_cannot_be_deleted(server):
    (default,) = server.get("experiments", filter=predicates(_equals("display_name", "Default")))["experiments"]
    assert refusal(server.ask("DELETE", f"experiments/{default['experiment_id']}")) == (409, 10)


@pytest.mark.parametrize("action", ["archive", "unarchive"])
def test_archiving_an_experiment_that_is_not_there_does_nothing(server, action):
    # Kubeflow updates the matching rows and does not check their number.
    assert server.post(f"experiments/{MISSING}:{action}") == {}


def test_deleting_an_experiment_that_is_not_there_is_not_found(server):
    assert refusal(server.ask("DELETE", f"experiments/{MISSING}")) == (404, 5)


@pytest.fixture(scope="module")
def listed(server, request):
    """Creates three experiments, oldest first. The last is archived."""
    server.begin(f"{request.node.path.stem}::listed")
    prefix = server.fresh("listed")
    made = [server.post("experiments", {"display_name": f"{prefix}-{letter}"}) for letter in "abc"]
    server.post(f"experiments/{made[2]['experiment_id']}:archive")
    return prefix, made


def _equals(key, value):
    return {"operation": "EQUALS", "key": key, "string_value": value}


@pytest.mark.parametrize(
    ("predicate", "wanted"),
    [
        (_equals("name", "{prefix}-b"), "b"),
        (_equals("display_name", "{prefix}-a"), "a"),
        (_equals("id", "{b}"), "b"),
        (_equals("experiment_id", "{b}"), "b"),
        (_equals("storage_state", "ARCHIVED"), "c"),
        ({"operation": "NOT_EQUALS", "key": "storage_state", "string_value": "ARCHIVED"}, "ab"),
        ({"operation": "LESS_THAN", "key": "created_at", "timestamp_value": "2000-01-01T00:00:00Z"}, ""),
        ({"operation": "LESS_THAN", "key": "last_run_created_at", "timestamp_value": "2000-01-01T00:00:00Z"}, "abc"),
    ],
    ids=["name", "display_name", "id", "experiment_id", "archived", "available", "created_at", "last_run_created_at"],
)
def test_experiments_are_filtered(server, listed, predicate, wanted):
    prefix, made = listed
    filled = {
        key: str(value).replace("{prefix}", prefix).replace("{b}", made[1]["experiment_id"])
        for key, value in predicate.items()
    }
    own = {"operation": "IS_SUBSTRING", "key": "name", "string_value": prefix}
    found = server.get("experiments", filter=predicates(own, filled), page_size=100)
    assert sorted(names(found, "experiments")) == [f"{prefix}-{letter}" for letter in wanted]


@pytest.mark.parametrize(
    "sort", ["id", "experiment_id", "name", "display_name", "created_at", "last_run_created_at", "storage_state"]
)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_experiments_are_sorted_and_paged_without_loss(server, listed, sort, direction):
    prefix, made = listed
    own = {"operation": "IS_SUBSTRING", "key": "name", "string_value": prefix}
    found = all_pages(server, "experiments", filter=predicates(own), sort_by=f"{sort} {direction}", page_size=2)
    assert sorted(row["experiment_id"] for row in found) == sorted(row["experiment_id"] for row in made)
    if sort.endswith("name"):
        assert [row["display_name"][-1] for row in found] == list("abc" if direction == "asc" else "cba")


@pytest.mark.parametrize(
    "query",
    [
        {"sort_by": "nonsense"},
        {"page_token": "nonsense"},
        {"page_size": -1},
        {"filter": predicates(_equals("nonsense", "x"))},
    ],
    ids=str,
)
def test_a_wrong_question_is_refused(server, query):
    assert refusal(server.ask("GET", "experiments", **query)) == (400, 3)
