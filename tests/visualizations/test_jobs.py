"""Jobs in the queue: what a worker accepts, and what it leaves behind."""

import json
import os
import uuid
import zlib

import pytest
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from apps.visualizations.job_queue import RENDER_FUNCTION, JobRefusedError, RenderJob, render_enqueue
from apps.visualizations.jobs import RenderWorker
from apps.visualizations.states import RenderState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plant(queue):
    """Puts a job into the queue as an attacker with access to the queue server would."""

    def put(function, args=(), kwargs=None, **fields):
        job = Job.create(
            function,
            args=args,
            kwargs=kwargs or {},
            connection=queue.connection,
            serializer=JSONSerializer,
            id="planted",
        )
        job.origin = queue.name
        job.save()
        for name, value in fields.items():
            queue.connection.hset(job.key, name, value)
        queue.connection.sadd("rq:queues", queue.key)
        queue.push_job_id(job.id)
        return job

    return put


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [
        ("os.system", ("touch {mark}",), {}),
        ("builtins.eval", ("open('{mark}', 'w')",), {}),
        ("apps.visualizations.services.execution.render_execute", (str(uuid.uuid4()), 1), {}),
        (RENDER_FUNCTION, ("../../x", 1), {}),
        (RENDER_FUNCTION, (str(uuid.uuid4()), "1"), {}),
        (RENDER_FUNCTION, (str(uuid.uuid4()), True), {}),
        (RENDER_FUNCTION, (str(uuid.uuid4()), 1, 2), {}),
        (RENDER_FUNCTION, (), {"render_id": str(uuid.uuid4()), "attempt": 1}),
    ],
)
def test_planted_job_is_refused_and_the_worker_continues(
    plant, queue, work, tmp_path, function, args, kwargs, submit, row
):
    mark = tmp_path / "ran"
    job = plant(function, [arg.format(mark=mark) if isinstance(arg, str) else arg for arg in args], kwargs)
    made = submit()
    work()
    assert not mark.exists()
    assert job.get_status() == JobStatus.FAILED
    assert row(made.render).state == RenderState.SUCCEEDED


def test_callbacks_and_webhooks_of_planted_job_are_ignored(plant, queue, work, tmp_path):
    mark = tmp_path / "ran"
    hook = json.dumps([{"url": "http://127.0.0.1:9/", "statuses": ["failed", "finished"]}])
    names = ("success_callback_name", "failure_callback_name", "stopped_callback_name")
    plant("os.system", [f"touch {mark}"], webhooks=hook, **dict.fromkeys(names, "os.abort"))
    job = RenderJob.fetch("planted", connection=queue.connection, serializer=JSONSerializer)
    assert (job.success_callback, job.failure_callback, job.stopped_callback, job.webhooks) == (None, None, None, [])
    with pytest.raises(JobRefusedError):
        _ = job.func
    work()
    assert not mark.exists()


def test_pickled_job_is_not_unpickled(queue, plant, work, tmp_path):
    mark = tmp_path / "ran"

    class Bomb:
        def __reduce__(self):
            return os.system, (f"touch {mark}",)

    import pickle

    plant("x.y", data=zlib.compress(pickle.dumps(("os.system", None, [Bomb()], {}))))
    work()
    assert not mark.exists()


def test_worker_always_uses_json_serializer(queue):
    worker = RenderWorker([queue], connection=queue.connection, serializer="rq.serializers.DefaultSerializer")
    assert worker.serializer is JSONSerializer
    assert worker.job_class is RenderJob
    assert worker.worker_ttl == 30


def test_enqueueing_the_same_attempt_again_adds_no_job(submit, queue):
    made = submit()
    assert render_enqueue(made.render)
    assert queue.count == 1


def test_finished_renders_leave_no_keys_in_queue_server(submit, queue, work, row):
    renders = [submit(force=True).render for _ in range(3)]
    work()
    assert {row(render).state for render in renders} == {RenderState.SUCCEEDED}
    assert not [
        key
        for key in queue.connection.keys("rq:*")
        if b"render-" in key and b":worker" not in key and b"queue" not in key
    ]


def test_crashed_job_is_recorded_as_failed_by_rq(submit, queue, work, monkeypatch):
    monkeypatch.setattr("apps.visualizations.jobs.execution.render_execute", lambda *_: 1 / 0)
    made = submit()
    work()
    job = RenderJob.fetch(f"render-{made.render.id}-1", connection=queue.connection, serializer=JSONSerializer)
    assert job.get_status() == JobStatus.FAILED
    assert "ZeroDivisionError" in job.latest_result().exc_string
    assert queue.intermediate_queue.get_job_ids() == []
