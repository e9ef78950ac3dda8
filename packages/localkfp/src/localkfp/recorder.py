"""Records the lineage of a run, with the same executions, artifacts and events as Kubeflow's driver and launcher."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlmd.messages import EVENT_INPUT, EVENT_OUTPUT

from localkfp.store import Store, now_ms

NEW, RUNNING, COMPLETE, FAILED, CACHED, CANCELED = range(1, 7)
DAG: Final = "system.DAGExecution"
CONTAINER: Final = "system.ContainerExecution"
IMPORTER: Final = "system.ImporterExecution"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRecord:
    """One artifact as a step wrote or read it.

    Attributes:
        key: its name in that step.
        type: such as `system.Dataset`.
        uri: as lineage is to show it.
        metadata: JSON values, as the component set them.
    """

    key: str
    type: str
    uri: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Writes the lineage of one run."""

    store: Store
    run_id: str

    def start(
        self,
        kind: str,
        *,
        task_name: str = "",
        parent_id: int | None = None,
        state: int = RUNNING,
        inputs: Mapping[str, Any] | None = None,
        artifacts: Sequence[ArtifactRecord] = (),
        pod_name: str = "",
        **properties: Any,
    ) -> int:
        """Adds an execution and returns its id.

        Args:
            kind: DAG, CONTAINER or IMPORTER.
            task_name: the task's key in the spec; "" for the run's root.
            parent_id: the enclosing DAG's execution; None for the root.
            state: a number of ML Metadata's Execution.State.
            inputs: parameters.
            artifacts: input artifacts.
            pod_name: identifies the log; only container steps have one.
            properties: additional custom properties; those that are None are omitted.
        """
        named = {
            "display_name": task_name,
            "task_name": task_name,
            "parent_dag_id": parent_id,
            "pod_name": pod_name or None,
            "inputs": dict(inputs or {}),
            **properties,
        }
        at = now_ms()
        with self.store.open() as db:
            cursor = db.execute(
                "INSERT INTO executions (run_id, type, state, task_name, pod_name, properties, created_ms, updated_ms)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (self.run_id, kind, state, task_name, pod_name, _dump(named), at, at),
            )
            execution_id = int(cursor.lastrowid or 0)
            self._link(db, execution_id, EVENT_INPUT, artifacts)
        return execution_id

    def update(self, execution_id: int, **properties: Any) -> None:
        """Sets custom properties of an execution."""
        with self.store.open() as db:
            self._merge(db, execution_id, properties)

    def finish(
        self,
        execution_id: int,
        state: int,
        *,
        outputs: Mapping[str, Any] | None = None,
        artifacts: Sequence[ArtifactRecord] = (),
    ) -> None:
        """Ends an execution and adds its outputs."""
        with self.store.open() as db:
            self._merge(db, execution_id, {"outputs": dict(outputs)} if outputs else {})
            db.execute("UPDATE executions SET state = ?, updated_ms = ? WHERE id = ?", (state, now_ms(), execution_id))
            self._link(db, execution_id, EVENT_OUTPUT, artifacts)

    def _merge(self, db: sqlite3.Connection, execution_id: int, properties: Mapping[str, Any]) -> None:
        row = db.execute("SELECT properties FROM executions WHERE id = ?", (execution_id,)).fetchone()
        if row is None:
            raise LookupError(f"execution {execution_id} is gone: the run was deleted")
        merged = {**json.loads(row["properties"]), **properties}
        db.execute("UPDATE executions SET properties = ? WHERE id = ?", (_dump(merged), execution_id))

    def _link(self, db: sqlite3.Connection, execution_id: int, kind: int, artifacts: Sequence[ArtifactRecord]) -> None:
        for position, artifact in enumerate(artifacts):
            artifact_id = self._artifact_id(db, artifact, is_new=kind == EVENT_OUTPUT)
            db.execute(
                "INSERT INTO events (execution_id, artifact_id, type, key, position, at_ms) VALUES (?, ?, ?, ?, ?, ?)",
                (execution_id, artifact_id, kind, artifact.key, position, now_ms()),
            )

    def _artifact_id(self, db: sqlite3.Connection, artifact: ArtifactRecord, *, is_new: bool) -> int:
        """Returns the id of the artifact with this URI, which writer, readers and DAGs share; adds a missing one."""
        row = db.execute(
            "SELECT id FROM artifacts WHERE run_id = ? AND uri = ? ORDER BY id DESC", (self.run_id, artifact.uri)
        ).fetchone()
        if row is not None:
            return int(row["id"])
        name = artifact.metadata.get("display_name", artifact.key) if is_new else artifact.key
        cursor = db.execute(
            "INSERT INTO artifacts (run_id, type, uri, metadata, created_ms) VALUES (?, ?, ?, ?, ?)",
            (
                self.run_id,
                artifact.type,
                artifact.uri,
                _dump({**artifact.metadata, "display_name": name}),
                now_ms(),
            ),
        )
        return int(cursor.lastrowid or 0)


def end_open_executions(db: sqlite3.Connection, run_id: str) -> None:
    """Marks those steps as failed that were running when their run was interrupted.

    DAGs stay unchanged: Kubeflow does not end them either, and readers derive their state from the children.
    """
    db.execute(
        "UPDATE executions SET state = ?, updated_ms = ? WHERE run_id = ? AND state IN (?, ?) AND type != ?",
        (FAILED, now_ms(), run_id, NEW, RUNNING, DAG),
    )


def _dump(properties: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in properties.items() if value is not None}, default=str)
