"""Call every public method of kfp.Client."""

import inspect
import json

import kfp
import pytest
from kfp import dsl

from tests.kubeflow_contract.asking import SPEC, predicates, refusal

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
# Methods that send no requests.
LOCAL = {"set_user_namespace", "get_user_namespace"}
OLD_NAMES = {"delete_job", "disable_job", "enable_job"}


@dsl.component(base_image="python:3.11")
def say(text: str) -> str:
    return text


@dsl.pipeline(name="contract-function")
def function(text: str = "x"):
    say(text=text)


@pytest.fixture
def package(tmp_path):
    """Writes the pipeline's file."""
    file = tmp_path / "contract.yaml"
    file.write_text(json.dumps(SPEC))
    return str(file)


def test_every_method_is_here():
    public = {name for name, _ in inspect.getmembers(kfp.Client, inspect.isfunction) if not name.startswith("_")}
    text = inspect.getsource(inspect.getmodule(test_every_method_is_here))
    missing = {name for name in public - LOCAL - OLD_NAMES if f"client.{name}(" not in text}
    assert missing == set()


def test_healthz(client):
    assert client.get_kfp_healthz().multi_user is False


def test_experiments(server, client):
    name = server.fresh("experiment")
    made = client.create_experiment(name, description="words")
    assert client.create_experiment(name).experiment_id == made.experiment_id
    assert client.get_experiment(experiment_name=name).experiment_id == made.experiment_id
    assert client.get_experiment(experiment_id=made.experiment_id).description == "words"
    asked = predicates({"operation": "EQUALS", "key": "display_name", "string_value": name})
    listed = client.list_experiments(filter=asked, sort_by="created_at desc", page_size=5)
    assert [row.experiment_id for row in listed.experiments] == [made.experiment_id]
    client.archive_experiment(made.experiment_id)
    assert client.get_experiment(experiment_id=made.experiment_id).storage_state == "ARCHIVED"
    client.unarchive_experiment(made.experiment_id)
    client.delete_experiment(made.experiment_id)
    with pytest.raises(ValueError, match="No experiment"):
        client.get_experiment(experiment_name=name)


def test_pipelines(server, client, package):
    name = server.fresh("pipeline")
    made = client.upload_pipeline(package, pipeline_name=name, description="words")
    assert client.get_pipeline_id(name) == made.pipeline_id
    assert client.get_pipeline(made.pipeline_id).display_name == name
    second = client.upload_pipeline_version(package, f"{name}-v2", pipeline_name=name)
    third = client.upload_pipeline_version(package, f"{name}-v3", pipeline_id=made.pipeline_id, description="third")
    read = client.get_pipeline_version(made.pipeline_id, third.pipeline_version_id)
    assert (read.display_name, read.description) == (f"{name}-v3", "third")
    listed = client.list_pipeline_versions(made.pipeline_id, sort_by="name desc").pipeline_versions
    assert [row.display_name for row in listed] == [f"{name}-v3", f"{name}-v2", name]
    asked = predicates({"operation": "EQUALS", "key": "display_name", "string_value": name})
    assert [row.pipeline_id for row in client.list_pipelines(filter=asked).pipelines] == [made.pipeline_id]
    client.delete_pipeline_version(made.pipeline_id, second.pipeline_version_id)
    for version in client.list_pipeline_versions(made.pipeline_id).pipeline_versions:
        client.delete_pipeline_version(made.pipeline_id, version.pipeline_version_id)
    client.delete_pipeline(made.pipeline_id)
    assert client.get_pipeline_id(name) is None


def test_pipelines_from_functions(server, client):
    name = server.fresh("function")
    made = client.upload_pipeline_from_pipeline_func(function, pipeline_name=name)
    client.upload_pipeline_version_from_pipeline_func(function, f"{name}-v2", pipeline_id=made.pipeline_id)
    assert len(client.list_pipeline_versions(made.pipeline_id).pipeline_versions) == 2


def test_runs(server, client, package):
    experiment = client.create_experiment(server.fresh("runs")).experiment_id
    pipeline = client.upload_pipeline(package, pipeline_name=server.fresh("pipeline"))
    (version,) = client.list_pipeline_versions(pipeline.pipeline_id).pipeline_versions
    names = [server.fresh("run") for _ in range(3)]
    version_id = version.pipeline_version_id
    first = client.run_pipeline(experiment, names[0], pipeline_package_path=package, params={"text": "a"})
    ids = {"pipeline_id": pipeline.pipeline_id, "version_id": version_id}
    second = client.run_pipeline(experiment, names[1], params={"text": "b"}, enable_caching=False, **ids)
    assert second.pipeline_version_reference.pipeline_version_id == version_id
    newest = client.run_pipeline(experiment, names[2], pipeline_package_path=package, params={"text": "c"})
    assert newest.pipeline_spec["pipelineInfo"] == {"name": "contract"}
    listed = client.list_runs(experiment_id=experiment, sort_by="name asc").runs
    assert [row.display_name for row in listed] == sorted(names)
    client.archive_run(first.run_id)
    assert client.get_run(first.run_id).storage_state == "ARCHIVED"
    client.unarchive_run(first.run_id)
    assert client.get_run(first.run_id).storage_state == "AVAILABLE"
    client.terminate_run(client.run_pipeline(experiment, server.fresh("run"), package, {"text": "d"}).run_id)
    client.delete_run(first.run_id)
    assert refusal(server.ask("GET", f"runs/{first.run_id}")) == (404, 5)


def test_runs_of_functions_and_packages(server, client, package):
    name = server.fresh("experiment")
    of_function = client.create_run_from_pipeline_func(function, arguments={"text": "a"}, experiment_name=name)
    of_package = client.create_run_from_pipeline_package(package, arguments={"text": "b"}, experiment_name=name)
    experiment = client.get_experiment(experiment_name=name).experiment_id
    found = {row.run_id for row in client.list_runs(experiment_id=experiment).runs}
    assert found == {of_function.run_id, of_package.run_id}


def test_waiting_for_a_run(server, client):
    run_id = server.start(server.fresh("waited"))["run_id"]
    server.ended(f"runs/{run_id}", "Succeeded")
    assert client.wait_for_run_completion(run_id, timeout=60, sleep_duration=1).state == "SUCCEEDED"


def test_recurring_runs(server, client, package):
    experiment = client.create_experiment(server.fresh("scheduled")).experiment_id
    pipeline = client.upload_pipeline(package, pipeline_name=server.fresh("pipeline"))
    (version,) = client.list_pipeline_versions(pipeline.pipeline_id).pipeline_versions
    made = client.create_recurring_run(
        experiment_id=experiment,
        job_name=server.fresh("nightly"),
        cron_expression="0 0 0 1 1 *",
        max_concurrency=2,
        pipeline_id=pipeline.pipeline_id,
        version_id=version.pipeline_version_id,
        params={"text": "z"},
    )
    every = client.create_recurring_run(
        experiment_id=experiment,
        job_name=server.fresh("hourly"),
        interval_second=3600,
        no_catchup=True,
        enabled=False,
        pipeline_package_path=package,
        params={"text": "z"},
    )
    read = client.get_recurring_run(made.recurring_run_id)
    assert read.trigger.cron_schedule.cron == "0 0 0 1 1 *"
    assert client.get_recurring_run(every.recurring_run_id).status == "DISABLED"
    listed = client.list_recurring_runs(experiment_id=experiment, sort_by="created_at desc", page_size=5)
    assert {row.recurring_run_id for row in listed.recurring_runs} == {made.recurring_run_id, every.recurring_run_id}
    client.disable_recurring_run(made.recurring_run_id)
    assert client.get_recurring_run(made.recurring_run_id).status == "DISABLED"
    client.enable_recurring_run(made.recurring_run_id)
    assert client.get_recurring_run(made.recurring_run_id).status == "ENABLED"
    client.delete_recurring_run(made.recurring_run_id)
    client.delete_recurring_run(every.recurring_run_id)
    assert server.get("recurringruns", experiment_id=experiment) == {}
