"""Call every public method of kfp.kubeflow_client.PipelinesClient (KEP-125)."""

from __future__ import annotations

import inspect
import json

import pytest
from kfp.kubeflow_client import KubernetesBackendConfig, PipelinesClient

from tests.kubeflow_contract.asking import SPEC

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def newest(server):
    """Returns the client."""
    return PipelinesClient(KubernetesBackendConfig(base_url=server.host, namespace="kubeflow"))


@pytest.fixture
def package(tmp_path):
    """Writes the pipeline's file."""
    file = tmp_path / "contract.yaml"
    file.write_text(json.dumps(SPEC))
    return str(file)


def test_every_method_is_here():
    public = {name for name, _ in inspect.getmembers(PipelinesClient, inspect.isfunction) if not name.startswith("_")}
    text = inspect.getsource(inspect.getmodule(test_every_method_is_here))
    assert {name for name in public if f"newest.{name}(" not in text} == set()
    assert len(public) == 14


def test_pipelines(server, newest, package):
    name = server.fresh("newest")
    newest.upload_pipeline(package, name=name, version="v1", description="words")
    newest.upload_pipeline(package, name=name, version="v2")
    pipeline = newest.get_pipeline(name)
    assert (pipeline.display_name, pipeline.description) == (name, "words")
    assert newest.get_pipeline_version(name, "v2").display_name == "v2"
    first = newest.list_pipeline_versions(name, page_size=1)
    rest = newest.list_pipeline_versions(name, page_size=1, page_token=first.next_page_token)
    found = [first.pipeline_versions[0].display_name, rest.pipeline_versions[0].display_name]
    assert sorted(found) == ["v1", "v2"]
    assert len(newest.list_pipelines(page_size=1).pipelines) == 1
    with pytest.raises(ValueError, match="force"):
        newest.delete_pipeline(name)
    newest.delete_pipeline(name, version="v1")
    newest.delete_pipeline(name, force=True)
    with pytest.raises(ValueError, match="not found"):
        newest.get_pipeline(name)


def test_experiments(server, newest):
    name = server.fresh("newest")
    made = newest.create_experiment(name, description="words")
    assert newest.create_experiment(name).experiment_id == made.experiment_id
    assert newest.get_experiment(name).description == "words"
    assert newest.list_experiments(page_size=1).experiments
    newest.delete_experiment(name)
    with pytest.raises(ValueError, match="not found"):
        newest.get_experiment(name)


def test_runs(server, newest, package):
    name, experiment = server.fresh("newest"), server.fresh("newest")
    newest.upload_pipeline(package, name=name, version="v1")
    newest.create_experiment(experiment)
    made = newest.run(name, version="v1", params={"text": "x"}, experiment=experiment, name=server.fresh("run"))
    inline = newest.run(package, params={"text": "y"}, experiment=experiment, name=server.fresh("run"))
    of_pipeline = newest.run(
        newest.get_pipeline(name), params={"text": "z"}, experiment=experiment, name=server.fresh("run")
    )
    assert newest.get_run(made.run_id).run_id == made.run_id
    listed = {row.run_id for row in newest.list_runs(experiment=experiment).runs}
    assert listed == {made.run_id, inline.run_id, of_pipeline.run_id}
    of_name = {row.run_id for row in newest.list_runs(experiment=experiment, pipeline=name).runs}
    assert of_name == {made.run_id, of_pipeline.run_id}
    server.ended(f"runs/{inline.run_id}", "Succeeded")
    assert newest.wait_for_run_status(inline.run_id, timeout=60, polling_interval=1).state == "SUCCEEDED"
    ended = {row.run_id for row in newest.list_runs(experiment=experiment, status="succeeded").runs}
    assert inline.run_id in ended
