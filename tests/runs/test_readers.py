"""The gateway shows the same run identically, whichever API the lineage comes from.

The sources are rows as recorded from 2.17, and the tasks of Kubeflow's coming API. test_lineage_store.py tests the
real store, and test_localkfp.py tests localkfp.
"""

from __future__ import annotations

import pytest

from apps.runs.entities import State
from tests.runs.kubeflow import run_row
from tests.runs.written_runs import METADATA, Writer, shown

TASK_STATES = {"COMPLETE": "SUCCEEDED", "CANCELED": "SKIPPED", "RUNNING": "RUNNING"}
KINDS = {"loop": "LOOP", "condition": "CONDITION", "exit_handler": "EXIT_HANDLER", "dag": "DAG", "iteration": "DAG"}


def as_recorded(kubeflow, written):
    """Adds a written run's rows to the fake Kubeflow's lineage."""
    kubeflow.executions, kubeflow.events, kubeflow.artifacts = [], [], []
    ids = {row["key"]: number for number, row in enumerate(written.rows["executions"], 1)}
    for row in written.rows["executions"]:
        kind = row["type"].removeprefix("system.").removesuffix("Execution")
        more = {"parent_dag_id": ids[row["parent"]]} if row["parent"] else {}
        kubeflow.add_execution(ids[row["key"]], row["state"], kind, **row["properties"], **more)
    rows = {row["key"]: row for row in written.rows["artifacts"]}
    for event in written.rows["events"]:
        row = rows[event["artifact"]]
        metadata = {name: value for name, value in row["metadata"].items() if name != "display_name"}
        kubeflow.add_artifact(
            int(row["key"][1:]) + 1, ids[event["execution"]], event["key"], row["type"], row["uri"],
            is_input=event["type"] == "INPUT", **metadata,
        )  # fmt: skip


def as_tasks(kubeflow, written, *, page=10_000):
    """Makes the fake Kubeflow respond like the coming API. `page` tasks come with the run itself."""
    rows = written.rows["executions"]
    artifacts = {row["key"]: row for row in written.rows["artifacts"]}
    names = {row["key"]: row["properties"]["task_name"] for row in rows}
    tasks = []
    for number, row in enumerate(rows):
        ports = {"INPUT": {}, "OUTPUT": {}}
        for event in written.rows["events"]:
            if event["execution"] == row["key"]:
                ports[event["type"]].setdefault(event["key"], []).append(artifact_json(artifacts[event["artifact"]]))
        tasks.append(
            {
                "task_id": row["key"],
                "name": row["task_key"] or "root",
                "display_name": row["properties"]["display_name"] or row["properties"]["task_name"] or "root",
                "parent_task_id": row["parent"] or "",
                "type": kind_of(row, names),
                "type_attributes": {
                    name: str(row["properties"][name])
                    for name in ("iteration_index", "iteration_count")
                    if name in row["properties"]
                },
                "state": TASK_STATES.get(row["state"], row["state"]),
                "create_time": f"2026-09-21T12:{number // 60 % 60:02}:{number % 60:02}.{number:06}Z",
                "pods": [{"name": row["properties"].get("pod_name", ""), "type": "EXECUTOR"}],
                "inputs": port_json(row["properties"].get("inputs", {}), ports["INPUT"]),
                "outputs": port_json(row["properties"].get("outputs", {}), ports["OUTPUT"]),
            }
        )
    kubeflow.tasks[written.run_id] = tasks
    kubeflow.tasks_with_run = page


def kind_of(row, names):
    if row["parent"] is None:
        return "ROOT"
    if row["type"] != "system.DAGExecution":
        return "IMPORTER" if row["type"].startswith("system.Importer") else "RUNTIME"
    if "iteration_count" in row["properties"]:
        return "LOOP"
    name = row["properties"]["task_name"]
    return next(
        (kind for start, kind in (("condition", "CONDITION"), ("exit", "EXIT_HANDLER")) if name.startswith(start)),
        "DAG",
    )


def port_json(parameters, artifacts):
    return {
        "parameters": [{"parameter_key": name, "value": value} for name, value in parameters.items()],
        "artifacts": [{"artifact_key": key, "artifacts": listed} for key, listed in artifacts.items()],
    }


def artifact_json(row):
    kind = row["type"].removeprefix("system.").replace("Metrics", "Metric")
    return {
        "artifact_id": row["key"], "name": row["metadata"]["display_name"], "type": kind, "uri": row["uri"],
        "metadata": METADATA,
    }  # fmt: skip


def without_order(steps):
    """Sorts artifacts, since the API groups a step's artifacts by key and loses their order."""
    return {key: {**facts, "artifacts": sorted(facts["artifacts"])} for key, facts in steps.items()}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("way", ["recorded", "tasks", "tasks in pages"])
def test_step_tree_is_read_as_written(gateway, kubeflow, way, seed):
    written = Writer("w1", seed, 60).write()
    kubeflow.runs.append(
        run_row("w1", state=written.state, pipeline_spec=written.spec, pipeline_version_reference=None)
    )
    if way == "recorded":
        as_recorded(kubeflow, written)
    else:
        as_tasks(kubeflow, written, page=5 if way == "tasks in pages" else 10_000)
    details = gateway.run_details("w1")
    assert details.notice == ""
    assert without_order(shown(details.steps)) == without_order(written.expected)
    assert all(artifact.metadata == METADATA for step in details.steps for artifact in step.artifacts)


def test_lineage_store_is_not_used_if_the_run_has_tasks(gateway, kubeflow):
    written = Writer("w1", 4, 10).write()
    kubeflow.runs.append(
        run_row("w1", state=written.state, pipeline_spec=written.spec, pipeline_version_reference=None)
    )
    as_tasks(kubeflow, written)
    kubeflow.requests.clear()
    gateway.run_details("w1")
    assert [path for _, path in kubeflow.requests] == ["/apis/v2beta1/runs/w1", "/apis/v2beta1/experiments/e1"]


def test_single_task_iterations_metrics_and_failures_are_read(gateway, kubeflow):
    kubeflow.runs.append(run_row("w1", state="FAILED", pipeline_spec={"root": {}}, pipeline_version_reference=None))
    loop = {"task_id": "b", "name": "for-loop-1", "parent_task_id": "a", "type": "LOOP", "state": "RUNNING"}
    each = [
        {
            "task_id": f"c{index}",
            "name": "train",
            "parent_task_id": "b",
            "type": "RUNTIME",
            "type_attributes": {"iteration_index": index},
            "state": "FAILED" if index else "SUCCEEDED",
            "status_metadata": {"message": "no memory"} if index else {},
            "outputs": {
                "artifacts": [
                    {
                        "artifact_key": "metrics",
                        "artifacts": [
                            {"artifact_id": f"m{index}", "name": "auc", "type": "Metric", "number_value": 0.5}
                        ],
                    }
                ]
            },
        }
        for index in range(2)
    ]
    kubeflow.tasks["w1"] = [{"task_id": "a", "type": "ROOT", "name": "root"}, loop, *each]
    steps = {step.id: step for step in gateway.run_details("w1").steps}
    assert list(steps) == ["for-loop-1", "for-loop-1.0", "for-loop-1.0.train", "for-loop-1.1", "for-loop-1.1.train"]
    assert steps["for-loop-1.1.train"].error == "no memory"
    assert steps["for-loop-1"].state is State.FAILED
    (metric,) = steps["for-loop-1.0.train"].artifacts
    assert (metric.type, metric.metadata) == ("system.Metrics", {"auc": 0.5})


def test_server_that_rejects_the_view_parameter_gets_it_only_once(gateway, kubeflow):
    kubeflow.refuses_view = True
    gateway.run_details("r1")
    gateway.run_details("r1")
    asked = [query for query in kubeflow.queries if "view" in query]
    assert len(asked) == 1


@pytest.mark.parametrize(
    "tasks",
    [
        "text", [7], [{}], [{"task_id": "a", "parent_task_id": "a", "name": "x"}],
        [{"task_id": "a", "parent_task_id": "b", "name": "x"}, {"task_id": "b", "parent_task_id": "a", "name": "y"}],
        [{"task_id": "a", "name": 7, "inputs": [], "outputs": {"artifacts": [{"artifacts": ["x", {}]}]}, "pods": "p"}],
    ],
)  # fmt: skip
def test_malformed_tasks_are_ignored(gateway, kubeflow, tasks):
    kubeflow.runs.append(run_row("w1", pipeline_spec={"root": {}}, pipeline_version_reference=None))
    root = {"task_id": "r", "type": "ROOT", "name": "root"}
    good = {"task_id": "good", "parent_task_id": "r", "type": "RUNTIME", "name": "train", "state": "SUCCEEDED"}
    kubeflow.tasks["w1"] = [root, *tasks, good] if isinstance(tasks, list) else tasks
    details = gateway.run_details("w1")
    assert details.run.id == "w1"
    assert [step.name for step in details.steps if step.state is State.SUCCEEDED] == ["train"] * isinstance(tasks, list)
    assert all(not (step.inputs or step.outputs or step.artifacts) for step in details.steps)


def test_new_run_without_tasks_does_not_fall_back_to_lineage(gateway, kubeflow):
    kubeflow.runs.append(run_row("w1", state="PENDING", pipeline_version_reference=None, run_details=None))
    kubeflow.tasks["w1"] = []
    kubeflow.lineage_status = 503
    assert gateway.run_details("w1").notice == ""
    kubeflow.requests.clear()
    gateway.run_details("w1")
    assert [path for _, path in kubeflow.requests] == ["/apis/v2beta1/runs/w1"], "the server was asked once already"


def test_run_that_failed_before_any_task_does_not_fall_back_to_lineage(gateway, kubeflow):
    kubeflow.runs.append(run_row("w1", state="FAILED", pipeline_version_reference=None, run_details=None))
    kubeflow.tasks["w1"] = []
    kubeflow.lineage_status = 503
    details = gateway.run_details("w1")
    assert details.notice == ""
    assert {step.state for step in details.steps} <= {State.SKIPPED}


def test_metrics_output_with_many_entries_is_one_artifact(gateway, kubeflow):
    kubeflow.runs.append(run_row("w1", pipeline_spec={"root": {}}, pipeline_version_reference=None))
    entries = [
        {"artifact_id": f"m{number}", "name": name, "type": "Metric", "number_value": value}
        for number, (name, value) in enumerate((("auc", 0.5), ("rows", 244), ("auc", 0.25)))
    ]
    made_by = {"task_name": "train", "key": "x"}
    kubeflow.tasks["w1"] = [
        {"task_id": "a", "type": "ROOT", "name": "root"},
        {
            "task_id": "b", "parent_task_id": "a", "type": "RUNTIME", "name": "train", "state": "FAILED",
            "state_history": [{"state": "RUNNING"}, {"state": "FAILED", "error": {"message": "no memory"}}],
            "outputs": {"artifacts": [{"artifact_key": "metrics", "artifacts": entries}]},
        },
        {
            "task_id": "c", "type": "CONDITION_BRANCH", "name": "branch", "scope_path": "root.branch",
            "parent_task_id": "a", "inputs": {"parameters": [{"parameter_key": "x", "value": 1, "producer": made_by}]},
        },
        {"task_id": "d", "type": "EXIT_HANDLER", "name": "after", "scope_path": "root.branch.after"},
    ]  # fmt: skip
    steps = {step.id: step for step in gateway.run_details("w1").steps}
    assert [artifact.metadata for artifact in steps["train"].artifacts] == [{"auc": 0.5, "rows": 244}, {"auc": 0.25}]
    assert steps["train"].error == "no memory"
    assert steps["branch"].kind == "condition"
    assert steps["branch"].depends_on == ("train",)
    assert steps["branch.after"].kind == "exit_handler"
