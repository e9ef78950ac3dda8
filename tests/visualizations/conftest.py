"""Three users (owner, reader, admin), a real queue server, and stand-ins for the two external systems.

The stand-ins: Kubeflow (a gateway with one run) and the kernel (`FakeKernel`, which writes what a test asks for).
Tests marked `kernel` use the real kernel.
"""

import json
from contextlib import contextmanager
from types import SimpleNamespace

import django_rq
import pytest
from django.conf import settings as live_settings
from django.contrib.auth import get_user_model
from django.test import Client
from renderer import Progress, RenderOutcome
from renderer.results import open_result

from apps.runs.entities import Artifact, Endpoint, Run, RunDetails, State, Step
from apps.runs.exceptions import NotFoundError
from apps.visualizations import provenance
from apps.visualizations.api import endpoints
from apps.visualizations.job_queue import queue_get
from apps.visualizations.jobs import RenderWorker
from apps.visualizations.models import Render
from apps.visualizations.services import credentials, execution, submission
from apps.visualizations.services.requests import VisualizationRequest
from tests.callers import caller
from tests.servers import valkey_server

CSV = b"score,label\n0.1,0\n0.9,1\n0.8,1\n0.3,0\n"


@pytest.fixture(scope="session")
def valkey_url():
    with valkey_server() as url:
        yield url


@pytest.fixture(autouse=True)
def queue(valkey_url, monkeypatch):
    """The queue of the environment `base`, emptied."""
    for each in live_settings.RQ_QUEUES.values():
        monkeypatch.setitem(each, "URL", valkey_url)
    found = queue_get("base")
    found.connection.flushall()
    return found


@pytest.fixture
def no_queue(monkeypatch, queue, tmp_path):
    """Makes the queue server unreachable: no process listens on its socket."""
    for each in live_settings.RQ_QUEUES.values():
        monkeypatch.setitem(each, "URL", f"unix://{tmp_path}/nobody.sock")


@pytest.fixture
def events(queue):
    """Returns, when called, every event published about renders since the last call."""
    listener = django_rq.get_connection("render-base").pubsub(ignore_subscribe_messages=True)
    listener.subscribe("vizportal:render")
    listener.get_message(timeout=1)

    def read():
        found = []
        while message := listener.get_message(timeout=0.05):
            found.append(json.loads(message["data"]))
        return found

    yield read
    listener.close()


@pytest.fixture
def owner(db):
    return get_user_model().objects.create_user("owner", "owner@example.com", "pw")


@pytest.fixture
def reader(db):
    return get_user_model().objects.create_user("reader", "reader@example.com", "pw")


@pytest.fixture
def admin(db):
    return get_user_model().objects.create_superuser("admin", "admin@example.com", "pw")


@pytest.fixture
def browser():
    """Returns a signed-in test client."""

    def sign_in(user):
        client = Client()
        client.force_login(user)
        return client

    return sign_in


class Kubeflow:
    """A stand-in for the gateway: one run, one step, its artifacts in memory."""

    endpoint = Endpoint(key="default", host="http://kubeflow.example")
    is_personal = False
    sealed_credential = ""

    def __init__(self):
        self.contents = {"minio://b/predictions.csv": CSV}
        self.is_directory = False
        self.error = None
        artifacts = (
            Artifact(
                id="1", name="predictions", type="system.Dataset", uri="minio://b/predictions.csv", direction="output"
            ),
            Artifact(id="2", name="model", type="system.Model", uri="minio://b/model", direction="input"),
        )
        step = Step(id="s1", name="evaluator", task_name="evaluator", state=State.SUCCEEDED, artifacts=artifacts)
        self.details = RunDetails(
            run=Run(id="r1", name="taxi run", state=State.SUCCEEDED, pipeline_name="taxi"), steps=(step,)
        )

    def hurried(self, _timeout_s):
        return self

    def _answer(self):
        if self.error:
            raise self.error

    def runs(self, *_question, **_page):
        self._answer()
        return SimpleNamespace(items=(self.details.run,), next_token="")

    def run_details(self, run_id):
        self._answer()
        if run_id != "r1":
            raise NotFoundError(f"Kubeflow at {self.endpoint.host} has no run {run_id}.")
        return self.details

    @contextmanager
    def open_artifact(self, uri, **_rights):
        self._answer()
        if uri not in self.contents:
            raise NotFoundError(f"There is no object at {uri}.")
        content = self.contents[uri]
        chunks = content if not isinstance(content, bytes) else iter([content[:10], content[10:]])
        size = len(content) if isinstance(content, bytes) else None
        yield SimpleNamespace(chunks=chunks, size_bytes=size, content_type="", is_directory=self.is_directory)


@pytest.fixture
def kubeflow(monkeypatch):
    gateway = Kubeflow()
    monkeypatch.setattr(endpoints, "gateway_for", lambda _user, _key="": gateway)
    monkeypatch.setattr(credentials, "gateway_for_service", lambda _key="", **_more: gateway)
    monkeypatch.setattr(provenance, "gateway_for_namespace", lambda *_place: gateway)
    return gateway


class FakeKernel:
    """Stands in for `render`: records the jobs and ends as `outcome` says. It calls `during` in the middle."""

    def __init__(self):
        self.jobs = []
        self.html = b"<p>picture</p>"
        self.outcome = {}
        self.during = lambda: None

    def __call__(self, job, *, directory, on_progress, is_cancelled, **_more):
        self.jobs.append(job)
        on_progress(Progress(cell=1, cells=2, elapsed_s=0.1))
        self.during()
        if is_cancelled():
            return RenderOutcome(state="cancelled", reason="cancelled", message="Cancelled.")
        (directory / "result.html").write_bytes(self.html)
        (directory / "result.ipynb").write_text('{"cells": []}')
        facts = {"state": "succeeded", "cells": 2, "cells_done": 2, "timings": {"total": 0.1}, "lock": "l0ck"}
        facts["notebook"] = open_result(directory, "result.ipynb", 1000)
        if "html" not in self.outcome:
            facts["html"] = open_result(directory, "result.html", 2**30)
        return RenderOutcome(**{**facts, **self.outcome})


@pytest.fixture
def kernel(monkeypatch, settings, tmp_path):
    fake = FakeKernel()
    monkeypatch.setattr(execution, "run_job", fake)
    monkeypatch.setattr(execution, "host_await", lambda *_args: None)
    monkeypatch.setattr("apps.visualizations.services.lease.LOOK_EVERY_S", 0)
    interpreter = tmp_path / "environments" / "base" / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.touch()
    settings.VIZPORTAL_ENVIRONMENTS_DIR = tmp_path / "environments"
    settings.VIZPORTAL_DATA_DIR = tmp_path / "data"
    settings.MEDIA_ROOT = tmp_path / "results"
    return fake


class DeafWorker(RenderWorker):
    """A worker without the command listener (rq waits a second for its thread to end) and without hosts."""

    def on_heartbeat(self):
        pass

    def subscribe(self):
        pass

    def unsubscribe(self):
        pass


@pytest.fixture
def work(queue, kernel):
    """Runs a worker until the queue is empty."""

    def run():
        DeafWorker([queue], connection=queue.connection).work(burst=True, logging_level="WARNING")

    return run


@pytest.fixture
def submit(owner, kubeflow):
    """Requests a visualization as `owner` and returns the submission."""

    def ask(user=None, **values):
        request = {"type_key": "table", "run_id": "r1", "step_id": "s1", "artifact_name": "predictions", **values}
        return submission.visualization_create(caller(user or owner), VisualizationRequest(**request), kubeflow)

    return ask


@pytest.fixture
def row():
    """Reloads a render from the database."""
    return lambda render: Render.objects.get(id=render.id)
