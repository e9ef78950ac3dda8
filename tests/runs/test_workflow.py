"""Read runs of KFP 1.x from Argo's workflows."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from apps.runs.entities import State, StepKind
from apps.runs.gateway.workflow_steps import build_steps


def node(kind="Pod", *, within="wf", children=(), phase="Succeeded", started="2026-09-21T12:00:00Z", **more):
    boundary = {"boundaryID": within} if within else {}
    return {"type": kind, "phase": phase, "children": list(children), "startedAt": started, **boundary, **more}


def workflow(nodes, **status):
    return {"metadata": {"name": "wf"}, "status": {"nodes": nodes, **status}}


def read(nodes, metrics=None, **status):
    return {step.id: step for step in build_steps(workflow(nodes, **status), metrics or {})}


def test_retried_pod_is_one_step_with_attempts():
    steps = read(
        {
            "wf": node("DAG", within="", children=["wf-r"]),
            "wf-r": node("Retry", children=["wf-1", "wf-0"], displayName="flaky"),
            "wf-0": node(displayName="flaky(0)", phase="Failed", message="no luck", started="2026-09-21T12:00:01Z"),
            "wf-1": node(displayName="flaky(1)", children=["wf-n"], started="2026-09-21T12:00:09Z"),
            "wf-n": node(displayName="next"),
        }
    )
    flaky = steps["wf-r"]
    assert list(steps) == ["wf-r", "wf-n"]
    assert [(each.id, each.state, each.error) for each in flaky.attempts] == [
        ("wf-0", State.FAILED, "no luck"),
        ("wf-1", State.SUCCEEDED, ""),
    ]
    assert flaky.pod_name == "wf-1"
    assert steps["wf-n"].depends_on == ("flaky",)


def test_steps_templates_and_nested_dags_are_frames():
    steps = read(
        {
            "wf": node("Steps", within="", children=["wf-g0"]),
            "wf-g0": node("StepGroup", children=["wf-a"]),
            "wf-a": node(displayName="a", children=["wf-g1"]),
            "wf-g1": node("StepGroup", children=["wf-inner"]),
            "wf-inner": node("DAG", displayName="inner", children=["wf-b"]),
            "wf-b": node(displayName="b", within="wf-inner", children=["wf-c"]),
            "wf-c": node(displayName="c", within="wf-inner", children=["wf-g2"]),
            "wf-g2": node("StepGroup", children=["wf-d"]),
            "wf-d": node(displayName="d", phase="Running"),
        }
    )
    assert {key: step.parent_id for key, step in steps.items()} == {
        "wf-a": None, "wf-inner": None, "wf-b": "wf-inner", "wf-c": "wf-inner", "wf-d": None,
    }  # fmt: skip
    assert {key: step.depends_on for key, step in steps.items()} == {
        "wf-a": (), "wf-inner": ("a",), "wf-b": (), "wf-c": ("b",), "wf-d": ("inner",),
    }  # fmt: skip
    assert steps["wf-inner"].kind is StepKind.DAG


def test_fanned_out_task_is_a_loop_over_its_items():
    steps = read(
        {
            "wf": node("DAG", within="", children=["wf-t"]),
            "wf-t": node("TaskGroup", displayName="each", children=["wf-0", "wf-1"]),
            "wf-0": node(displayName="each(0:a)", children=["wf-n"]),
            "wf-1": node(displayName="each(1:b)", children=["wf-n"]),
            "wf-n": node(displayName="after"),
        }
    )
    assert steps["wf-t"].kind is StepKind.LOOP
    assert {steps["wf-0"].parent_id, steps["wf-1"].parent_id} == {"wf-t"}
    assert steps["wf-n"].depends_on == ("each",)


def test_single_pod_and_exit_handler_are_steps():
    steps = read({"wf": node(within="", displayName="wf"), "wf-x": node(within="", displayName="wf.onExit")})
    assert [step.name for step in steps.values()] == ["wf", "wf.onExit"]
    assert steps["wf"].pod_name == "wf"


def test_duplicate_names_refer_to_the_right_step():
    steps = read(
        {
            "wf": node("DAG", within="", children=["wf-1"]),
            "wf-1": node(displayName="same", children=["wf-2"]),
            "wf-2": node(displayName="same", started="2026-09-21T12:00:01Z"),
        }
    )
    assert steps["wf-2"].depends_on == (steps["wf-1"].task_name,)
    assert steps["wf-1"].task_name != steps["wf-2"].task_name


def test_artifact_uri_has_its_own_or_the_repositorys_bucket():
    artifacts = [
        {"name": "t-own", "s3": {"bucket": "b", "key": "k.tgz"}},
        {"name": "t-short", "s3": {"key": "k2.tgz"}},
        {"name": "t-google", "gcs": {"bucket": "g", "key": "k3"}},
        {"name": "t-web", "http": {"url": "https://example.org/x"}},
        {"name": "t-none"},
        "not even an object",
    ]
    steps = read(
        {"wf": node(templateName="t", outputs={"artifacts": artifacts}, within="")},
        artifactRepositoryRef={"artifactRepository": {"s3": {"bucket": "mlpipeline"}}},
    )
    assert {each.name: each.uri for each in steps["wf"].artifacts} == {
        "own": "minio://b/k.tgz",
        "short": "minio://mlpipeline/k2.tgz",
        "google": "gs://g/k3",
        "web": "https://example.org/x",
        "none": "",
    }


@pytest.mark.parametrize("has_artifact", [True, False])
def test_api_metrics_are_in_the_steps_metrics_artifact(has_artifact):
    outputs = {"artifacts": [{"name": "mlpipeline-metrics", "s3": {"bucket": "b", "key": "m"}}]} if has_artifact else {}
    steps = read({"wf": node(within="", outputs=outputs)}, {"wf": {"accuracy": 0.91}})
    (artifact,) = steps["wf"].artifacts
    assert (artifact.type, artifact.metadata, bool(artifact.uri)) == (
        "system.Metrics",
        {"accuracy": 0.91},
        has_artifact,
    )


def test_v2_pod_names_are_built_as_in_argo():
    manifest = workflow({"wf": node("DAG", within=""), "wf-123": node(templateName="train")})
    manifest["metadata"]["annotations"] = {"workflows.argoproj.io/pod-name-format": "v2"}
    assert build_steps(manifest, {})[0].pod_name == "wf-train-123"


def test_400_compressed_nodes_are_read():
    nodes = {"wf": node("DAG", within="", children=["wf-0"])}
    nodes |= {f"wf-{n}": node(children=[f"wf-{n + 1}"] if n < 399 else [], displayName=f"s{n}") for n in range(400)}
    packed = base64.b64encode(gzip.compress(json.dumps(nodes).encode())).decode()
    steps = build_steps({"metadata": {"name": "wf"}, "status": {"compressedNodes": packed}}, {})
    assert len(steps) == 400
    assert sum(len(step.depends_on) for step in steps) == 399


def test_compression_bomb_is_not_unpacked():
    bomb = base64.b64encode(gzip.compress(b'{"a": "' + b" " * (80 * 1024**2) + b'"}')).decode()
    assert build_steps({"status": {"compressedNodes": bomb}}, {}) == ()


@pytest.mark.parametrize(
    "status",
    [
        None, [], "text", {"nodes": []}, {"nodes": {"a": 7}}, {"nodes": {"a": {}}}, {"compressedNodes": "!"},
        {"compressedNodes": base64.b64encode(b"no gzip").decode()},
        {"nodes": {"a": {"type": "Pod", "children": "b", "inputs": [], "outputs": {"artifacts": {}}, "startedAt": 7}}},
        {"nodes": {"a": {"type": "DAG", "boundaryID": "b"}, "b": {"type": "DAG", "boundaryID": "a"}}},
        {"nodes": {"a": {"type": "Retry", "children": ["a"]}, "b": {"type": "TaskGroup", "children": ["b", "gone"]}}},
    ],
)  # fmt: skip
def test_malformed_nodes_are_ignored(status):
    steps = build_steps({"metadata": None, "status": status}, {})
    assert all((step.id, step.name, step.state) == ("a", "a", State.UNKNOWN) for step in steps)
    assert all(not (step.inputs or step.outputs or step.artifacts or step.started_at) for step in steps)
    nodes = status.get("nodes") if isinstance(status, dict) else None
    if isinstance(nodes, dict):
        beside = build_steps({"metadata": {"name": "wf"}, "status": {"nodes": {**nodes, "good": node()}}}, {})
        assert [step.id for step in beside if step.state is State.SUCCEEDED] == ["good"]
    else:
        assert steps == ()
