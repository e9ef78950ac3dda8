"""The portal's own requests, sent by its gateway."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from apps.runs import exceptions
from apps.runs.entities import State
from apps.runs.gateway import filters
from apps.runs.gateway.filters import RunQuestion
from tests.kubeflow_contract.asking import FAILING, SPEC

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
MISSING = "00000000-0000-4000-8000-000000000000"


def test_plugins_are_known_by_the_version(server, gateway):
    assert gateway.knows_plugins() is server.get("healthz").get("tag_name", "").startswith("2.17")


def test_it_is_healthy(gateway):
    assert gateway.health() is False


def test_a_run_list_is_read_in_each_order(gateway, runs):
    experiment, _, made = runs
    for sort in filters.SORTS:
        found, token = [], ""
        for _ in range(3):
            question = RunQuestion(experiment_id=experiment, sort=sort)
            page = gateway.runs(question, page_size=2, page_token=token)
            assert page.total == 3
            found += [run.id for run in page.items]
            token = page.next_token
            if not token:
                break
        assert sorted(found) == sorted(row["run_id"] for row in made), sort


QUESTIONS = {
    "text": ({"text": "-b"}, "b"),
    "text with signs": ({"text": "100% a+b_"}, ""),
    "states": ({"states": tuple(State)}, "abc"),
    "from": ({"created_from": datetime(2000, 1, 1, tzinfo=UTC)}, "abc"),
    "before": ({"created_before": datetime(2000, 1, 1, tzinfo=UTC)}, ""),
    "archived": ({"archived": True}, ""),
    "schedule": ({"recurring_run_id": MISSING}, ""),
    "no runs": ({"run_ids": ()}, ""),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_run_list_is_filtered(gateway, runs, name):
    experiment, prefix, _ = runs
    asked, wanted = QUESTIONS[name]
    found = gateway.runs(RunQuestion(experiment_id=experiment, sort="name", **asked)).items
    assert [run.name for run in found] == [f"{prefix}-{letter}" for letter in wanted]


def test_runs_are_found_by_id(gateway, runs):
    ids = tuple(row["run_id"] for row in runs[2][:2])
    assert {run.id for run in gateway.runs(RunQuestion(run_ids=ids)).items} == set(ids)


@pytest.mark.parametrize("text", ["a+b", "50%", "under_score", "back\\slash", 'quo"te', "a b", "&?=#"])
def test_a_name_is_found_by_what_it_contains(server, gateway, text):
    experiment = server.post("experiments", {"display_name": server.fresh("signs")})["experiment_id"]
    name = f"x {text} y"
    for other in (name, "x a-b y", "x 50 y", "x under-score y"):
        server.start(other, experiment_id=experiment)
    found = gateway.runs(RunQuestion(experiment_id=experiment, text=text)).items
    assert [run.name for run in found] == [name]


def test_runs_of_a_pipeline_are_sifted(server, gateway):
    made = gateway.pipeline_upload(io.BytesIO(json.dumps(SPEC).encode()), server.fresh("sifted"))
    (version,) = gateway.pipeline_versions(made.id).items
    run = gateway.run_create(
        name=server.fresh("run"), pipeline_id=made.id, version_id=version.id, parameters={"text": "x"}
    )
    page = gateway.runs(RunQuestion(), pipeline_id=made.id)
    assert [found.id for found in page.items] == [run.id]


def test_a_run_is_read_with_its_steps(server, gateway, runs):
    details = gateway.run_details(runs[2][0]["run_id"])
    assert [step.task_name for step in details.steps] == ["say"]
    assert details.run.experiment_name
    assert details.run.parameters["text"] == "x"
    (named,) = gateway.runs_named([details.run])
    assert named.id == details.run.id


def test_a_run_is_made_archived_ended_and_deleted(server, gateway):
    experiment = gateway.experiment_create(server.fresh("gateway"), "words")
    run = gateway.run_create(
        name=server.fresh("run"), spec=SPEC, experiment_id=experiment.id, description="said", parameters={"text": "é"}
    )
    gateway.run_archive(run.id)
    read = gateway.run(run.id)
    assert (read.is_archived, read.description, read.parameters["text"]) == (True, "said", "é")
    gateway.run_unarchive(run.id)
    assert not gateway.run(run.id).is_archived
    gateway.run_delete(run.id)
    with pytest.raises(exceptions.RunGoneError):
        gateway.run(run.id)
    other = gateway.run_create(name=server.fresh("run"), spec=SPEC, parameters={"text": "x"})
    gateway.run_terminate(other.id)
    assert gateway.run(other.id).state in {State.CANCELLED, State.RUNNING}


def test_a_failed_run_is_retried(server, gateway):
    run = gateway.run_create(name=server.fresh("run"), spec=FAILING, parameters={"text": "x"})
    server.ended(f"runs/{run.id}", "Failed")
    read = gateway.run(run.id)
    assert (read.state, read.finished_at is not None) == (State.FAILED, True)
    gateway.run_retry(run.id)


@pytest.mark.parametrize("action", ["run", "run_archive", "run_unarchive", "run_terminate", "run_retry", "run_details"])
def test_a_run_that_is_gone_says_so(gateway, action):
    with pytest.raises(exceptions.NotFoundError, match=MISSING):
        getattr(gateway, action)(MISSING)


def test_a_wrong_question_is_told_in_words(gateway):
    with pytest.raises(exceptions.InvalidRequestError, match=r"page.token"):
        gateway.runs(RunQuestion(), page_token="nonsense")


def test_pipelines_are_uploaded_listed_and_read(server, gateway):
    name = server.fresh("gateway")
    made = gateway.pipeline_upload(io.BytesIO(json.dumps(SPEC).encode()), name, "words")
    assert (made.name, made.description) == (name, "words")
    gateway.pipeline_version_upload(io.BytesIO(json.dumps(SPEC).encode()), f"{name}-v2", made.id)
    versions = gateway.pipeline_versions(made.id).items
    assert {version.name for version in versions} == {name, f"{name}-v2"}
    read = gateway.pipeline_version(made.id, versions[0].id)
    assert read.spec["pipelineInfo"] == {"name": "contract"}
    (found,) = gateway.pipelines(text=name).items
    assert (found.id, gateway.pipeline(made.id).name) == (made.id, name)
    with pytest.raises(exceptions.RunsError, match="choose another name"):
        gateway.pipeline_upload(io.BytesIO(json.dumps(SPEC).encode()), name)


def test_experiments_are_made_listed_and_read(server, gateway):
    name = server.fresh("gateway")
    made = gateway.experiment_create(name, "words")
    assert gateway.experiment_create(name).id == made.id
    (found,) = gateway.experiments(text=name).items
    assert (found.id, found.description) == (made.id, "words")
    assert gateway.experiment(made.id).name == name


def test_schedules_are_listed_read_switched_and_deleted(server, gateway):
    name = server.fresh("gateway")
    body = {
        "display_name": name, "mode": "ENABLE", "max_concurrency": "2", "pipeline_spec": SPEC,
        "runtime_config": {"parameters": {"text": "z"}},
        "trigger": {"periodic_schedule": {"interval_second": "3600", "start_time": "2100-01-01T00:00:00Z"}},
    }  # fmt: skip
    made = server.post("recurringruns", body)["recurring_run_id"]
    (found,) = gateway.recurring_runs(text=name).items
    assert (found.id, found.is_enabled, found.interval_s, found.max_concurrency) == (made, True, 3600, 2)
    assert found.starts_at == datetime(2100, 1, 1, tzinfo=UTC)
    gateway.recurring_run_disable(made)
    assert gateway.recurring_run(made).is_enabled is False
    gateway.recurring_run_enable(made)
    assert gateway.recurring_run(made).is_enabled is True
    gateway.recurring_run_delete(made)
    with pytest.raises(exceptions.NotFoundError):
        gateway.recurring_run(made)
