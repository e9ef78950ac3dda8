"""Lineage read from a real ML Metadata store over gRPC-Web and native gRPC equals what was written."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from django.conf import settings

from apps.runs import exceptions
from apps.runs.entities import Endpoint, Run, State
from apps.runs.gateway import lineage
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.lineage_tree import build_steps
from tests.runs.real_store import running_store
from tests.runs.written_runs import METADATA, Writer, shown

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="ml-metadata has wheels for Python 3.11 only"),
]


@pytest.fixture(scope="module")
def store():
    with running_store(settings.VIZPORTAL_ENVIRONMENTS_DIR) as running:
        yield running


@pytest.fixture(params=["gRPC-Web", "native gRPC"])
def connection(request, store):
    address = store.grpc_address if request.param == "native gRPC" else ""
    endpoint = Endpoint(key="default", host=f"{store.web_url}/pipeline")
    return Connection(endpoint=endpoint, metadata_address=address, timeout_s=20)


def read(connection, written):
    run = Run(id=written.run_id, name="written", state=State(written.state.lower()), spec=written.spec)
    return build_steps(run, lineage.read_executions(connection, written.run_id))


@pytest.mark.parametrize(("seed", "size"), [(1, 10), (2, 40), (3, 120), (4, 250), (5, 500)])
def test_step_tree_is_read_as_written(store, connection, seed, size):
    written = Writer(f"run-{seed}-{bool(connection.metadata_address)}", seed, size).write()
    store.write(written.rows)
    steps = read(connection, written)
    assert len(steps) >= size * 0.9
    assert shown(steps) == written.expected
    metadata = [artifact.metadata for step in steps for artifact in step.artifacts]
    assert metadata
    assert all(each == METADATA for each in metadata)


def test_unknown_run_has_no_executions(connection):
    assert lineage.read_executions(connection, "nobody") == ()
    assert lineage.read_executions(connection, "\N{GRINNING FACE}<b>") == ()


def test_cached_step_links_to_its_original_run(store, connection):
    suffix = "native" if connection.metadata_address else "web"
    first = Writer(f"first-{suffix}", 7, 3).write()
    ids = store.write(first.rows)
    made = next(row["key"] for row in first.rows["executions"] if row["type"] == "system.ContainerExecution")
    root = {"key": "n0", "type": "system.DAGExecution", "state": "RUNNING", "properties": {"task_name": ""}}
    reuse = {
        "key": "n1", "type": "system.ContainerExecution", "state": "CACHED", "parent": "n0",
        "properties": {"task_name": "again", "display_name": "again"}, "cached_from": str(ids[made]),
    }  # fmt: skip
    store.write({"run_id": f"second-{suffix}", "executions": [root, reuse], "artifacts": [], "events": []})
    run = Run(id=f"second-{suffix}", name="second", state=State.SUCCEEDED)
    (step,) = build_steps(run, lineage.read_executions(connection, run.id))
    assert (step.state, step.cached_run_id) == (State.CACHED, first.run_id)


def test_unreachable_store_error_names_its_address(connection):
    away = replace(
        connection,
        metadata_address="grpc://127.0.0.1:9" if connection.metadata_address else "",
        endpoint=Endpoint(key="default", host="http://127.0.0.1:9"),
        timeout_s=2,
    )
    with pytest.raises(exceptions.EndpointDownError, match=r"127\.0\.0\.1:9"):
        lineage.read_executions(away, "any")
