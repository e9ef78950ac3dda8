"""Leases: workers renew them and give them back, and late writes are dropped."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.utils import timezone

from apps.telemetry import worker
from apps.visualizations import job_queue
from apps.visualizations.models import Render
from apps.visualizations.services import execution, lease, reconciliation
from apps.visualizations.states import RenderState

pytestmark = pytest.mark.django_db(transaction=True)


def test_late_attempt_writes_nothing_and_leaves_no_file(submit, work, row, kernel, settings):
    made = submit()

    def overtaken():
        Render.objects.filter(id=made.render.id).update(attempt=2)

    kernel.during = overtaken
    work()
    render = row(made.render)
    assert (render.state, render.attempt, render.html.name) == (RenderState.RUNNING, 2, "")
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []


def test_result_of_superseded_attempt_is_dropped_with_its_files(submit, work, row, kernel, settings, monkeypatch):
    made = submit()
    monkeypatch.setattr(lease.Lease, "is_cancelled", lambda _self: False)
    kernel.during = lambda: Render.objects.filter(id=made.render.id).update(attempt=2)
    work()
    assert row(made.render).html.name == ""
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []


def test_stopped_worker_releases_its_lease(submit, row, kernel):
    def stop():
        raise SystemExit

    kernel.during = stop
    made = submit()
    with pytest.raises(SystemExit):
        execution.render_execute(str(made.render.id), 1)
    render = row(made.render)
    assert render.state == RenderState.RUNNING
    assert render.lease_until <= timezone.now()


def test_deadline_moves_only_when_more_time_is_needed(submit, row, django_assert_num_queries):
    held = lease.Lease(lease.render_claim(submit().render.id, 1))
    before = row(held.render).deadline
    with django_assert_num_queries(0):
        held.allow(1)
    held.allow(10_000)
    assert row(held.render).deadline == held.render.deadline > before + timedelta(seconds=9_000)


def test_finish_waits_for_the_database(submit, work, row, monkeypatch):
    made = submit()
    failures = iter([True, True])

    def find(**which):
        if next(failures, False):
            raise OperationalError("the database is away")
        return Render.objects.filter(**which)

    real_finish = execution.render_finish

    def finish(render, **values):
        monkeypatch.setattr(lease, "Render", SimpleNamespace(objects=SimpleNamespace(filter=find)))
        return real_finish(render, **values)

    monkeypatch.setattr(execution, "render_finish", finish)
    work()
    assert row(made.render).state == RenderState.SUCCEEDED
    assert next(failures, None) is None


def test_heartbeat_renews_lease_and_deadline_after_its_interval(submit, kernel, row, monkeypatch):
    made = submit()
    render = lease.render_claim(made.render.id, 1)
    long_ago = timezone.now() - timedelta(hours=1)
    Render.objects.filter(id=render.id).update(lease_until=long_ago)
    held = lease.Lease(render)
    held.beat()
    assert row(render).lease_until == long_ago
    monkeypatch.setattr(lease, "BEAT_EVERY_S", 0)
    before = timezone.now()
    held.beat()
    assert row(render).lease_until >= before + lease.LEASE
    assert row(render).deadline > before + timedelta(seconds=render.timeout_s)


def test_slow_store_does_not_lose_the_lease(submit, row, kernel, work, monkeypatch):
    """Storing a large result may take minutes; meanwhile its render is neither lost nor overdue."""
    made = submit()
    Render.objects.update(timeout_s=1)
    swept = []
    real, later = execution.file_save, SimpleNamespace(now=lambda: timezone.now() + timedelta(minutes=3))

    def save(render, path, name, **more):
        with monkeypatch.context() as patch:
            patch.setattr(reconciliation, "timezone", later)
            swept.append(str(reconciliation.reconcile()))
        return real(render, path, name, **more)

    kernel.html = b"x" * 48 * 1024**2
    monkeypatch.setattr(execution, "file_save", save)
    work()
    assert swept == ["nothing to do"] * 2
    assert row(made.render).state == RenderState.SUCCEEDED


def test_worker_stays_registered_during_a_long_render(submit, kernel, work, queue, monkeypatch):
    """The worker's key expired and another worker removed it; the render's next heartbeats register it again."""
    monkeypatch.setattr(worker, "HEARTBEAT_INTERVAL_S", 0)
    counted = []

    def look():
        [key] = job_queue.worker_keys("base")
        counted.append(queue.connection.ttl(key))

    def forget():
        look()
        queue.connection.delete(*job_queue.worker_keys("base"), *queue.connection.keys("rq:workers*"))
        assert not job_queue.worker_keys("base")

    real = execution.file_save

    def save(*args, **more):
        look()
        return real(*args, **more)

    kernel.during = forget
    monkeypatch.setattr(execution, "file_save", save)
    submit()
    work()
    first, *storing = counted
    assert 60 < first <= 90
    assert all(90 < each < 200 for each in storing)
    assert len(storing) == 2
