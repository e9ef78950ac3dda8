"""Match executions to tasks, with rows as Kubeflow's driver and launcher write them."""

from __future__ import annotations

import pytest

from apps.runs.entities import State
from tests.runs.kubeflow import run_row

CONTAINER, IMPORTER, WORKSPACE = "Container", "Importer", "ImporterWorkspace"


def importer(uri, *, shown="Load", kind="system.Dataset", parameter="", title=""):
    """Returns the body of a task, its component and its executor."""
    body = {"taskInfo": {"name": shown}}
    if parameter:
        body["inputs"] = {"parameters": {"uri": {"componentInputParameter": parameter}}}
    source = {"runtimeParameter": "uri"} if parameter else {"constant": uri}
    return body, {"importer": {"artifactUri": source, "typeSchema": {"schemaTitle": kind}}}


def container(**reads):
    artifacts = {
        port: {"taskOutputArtifact": {"producerTask": task, "outputArtifactKey": "artifact"}}
        for port, task in reads.items()
    }
    return {"taskInfo": {"name": "use"}, "inputs": {"artifacts": artifacts}}, {"container": {"image": "python:3.11"}}


def spec_of(tasks):
    """Returns an IR with these tasks at the top level."""
    components = {f"comp-{name}": {"executorLabel": f"exec-{name}"} for name in tasks}
    bodies = {name: {**body, "componentRef": {"name": f"comp-{name}"}} for name, (body, _) in tasks.items()}
    executors = {f"exec-{name}": executor for name, (_, executor) in tasks.items()}
    return {
        "pipelineInfo": {"name": "imports"},
        "root": {"dag": {"tasks": bodies}},
        "components": components,
        "deploymentSpec": {"executors": executors},
    }


@pytest.fixture
def written(gateway, kubeflow):
    """Writes a run. `rows` are (kind, task_name, state, outputs, inputs), and artifacts are (id, port, uri)."""

    def write(tasks, *rows, state="SUCCEEDED", parameters=None):
        kubeflow.executions, kubeflow.events, kubeflow.artifacts = [], [], []
        kubeflow.runs.append(
            run_row(
                "w1",
                state=state,
                pipeline_spec=spec_of(tasks),
                pipeline_version_reference=None,
                runtime_config={"parameters": parameters or {}},
            )
        )
        kubeflow.add_execution(1, "RUNNING", "DAG", task_name="")
        for number, (kind, name, ended, outputs, inputs) in enumerate(rows, 2):
            kubeflow.add_execution(number, ended, kind, task_name=name, parent_dag_id=1)
            for is_input, ports in ((False, outputs), (True, inputs)):
                for artifact_id, port, uri in ports:
                    kubeflow.add_artifact(artifact_id, number, port, "system.Dataset", uri, is_input=is_input)
        return {step.id: step for step in gateway.run_details("w1").steps}

    return write


def uris(step):
    return [artifact.uri for artifact in step.artifacts]


def imported(number, uri, name="Load", kind=IMPORTER, state="COMPLETE"):
    return (kind, name, state, [(number, "artifact", uri)] if state == "COMPLETE" else [], [])


@pytest.mark.parametrize("kind", [IMPORTER, WORKSPACE])
def test_importer_is_matched_by_display_name(written, kind):
    steps = written({"importer": importer("gs://a")}, imported(7, "gs://a", kind=kind))
    assert list(steps) == ["importer"]
    assert (steps["importer"].state, uris(steps["importer"])) == (State.SUCCEEDED, ["gs://a"])


def test_importers_with_the_same_name_are_matched_by_uri(written):
    tasks = {"importer": importer("gs://a"), "importer-2": importer("gs://b")}
    steps = written(tasks, imported(7, "gs://b"), imported(8, "gs://a"))
    assert {name: uris(step) for name, step in steps.items()} == {"importer": ["gs://a"], "importer-2": ["gs://b"]}


def test_importers_are_matched_by_uri_in_a_run_parameter(written):
    tasks = {"importer": importer("", parameter="first"), "importer-2": importer("", parameter="second")}
    steps = written(
        tasks, imported(7, "gs://2"), imported(8, "gs://1"), parameters={"first": "gs://1", "second": "gs://2"}
    )
    assert uris(steps["importer"]) == ["gs://1"]
    assert uris(steps["importer-2"]) == ["gs://2"]


def test_importers_are_matched_by_their_readers_if_the_uri_is_unknown(written):
    tasks = {
        "importer": importer("", parameter="made-by-a-step"),
        "importer-2": importer("", parameter="made-by-a-step-too"),
        "use": container(left="importer", right="importer-2"),
    }
    steps = written(
        tasks,
        imported(7, "gs://x"),
        imported(8, "gs://y"),
        (CONTAINER, "use", "COMPLETE", [], [(8, "left", "gs://y"), (7, "right", "gs://x")]),
    )
    assert uris(steps["importer"]) == ["gs://y"]
    assert uris(steps["importer-2"]) == ["gs://x"]


def test_identical_importers_stay_separate(written):
    tasks = {"importer": importer("gs://a"), "importer-2": importer("gs://a")}
    steps = written(tasks, imported(7, "gs://a"), imported(7, "gs://a"))
    assert [step.state for step in steps.values()] == [State.SUCCEEDED] * 2
    assert [len(step.attempts) for step in steps.values()] == [0, 0]


def test_failed_attempt_belongs_to_the_following_execution(written):
    tasks = {"importer": importer("gs://a"), "importer-2": importer("gs://b")}
    rows = [imported(6, "", state="FAILED"), imported(7, "gs://a"), imported(8, "gs://b")]
    steps = written(tasks, *rows)
    assert {name: uris(step) for name, step in steps.items()} == {"importer": ["gs://a"], "importer-2": ["gs://b"]}
    assert sum(len(step.attempts) for step in steps.values()) == 2


def test_container_with_the_name_of_an_importer_is_a_separate_step(written):
    tasks = {"load": container(), "importer": importer("gs://a", shown="load")}
    steps = written(tasks, imported(7, "gs://a", name="load"), (CONTAINER, "load", "FAILED", [], []), state="FAILED")
    assert {name: step.state for name, step in steps.items()} == {"load": State.FAILED, "importer": State.SUCCEEDED}
    assert steps["load"].attempts == ()


def test_display_name_equal_to_another_importers_key_is_matched(written):
    tasks = {"importer": importer("gs://a", shown="importer-2"), "importer-2": importer("gs://b", shown="importer-2")}
    steps = written(tasks, imported(7, "gs://b", name="importer-2"), imported(8, "gs://a", name="importer-2"))
    assert {name: uris(step) for name, step in steps.items()} == {"importer": ["gs://a"], "importer-2": ["gs://b"]}


def test_execution_missing_in_the_spec_is_shown(written):
    steps = written({"importer": importer("gs://a")}, imported(7, "gs://z", name="other"))
    assert steps["other"].kind == "importer"
    assert steps["importer"].state is State.SKIPPED
