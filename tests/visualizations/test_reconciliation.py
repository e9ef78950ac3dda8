"""The reconciler repairs differences between the queue and the database."""

from datetime import timedelta

import django_rq
import pytest
from django.utils import timezone

from apps.visualizations.models import Render
from apps.visualizations.services import cancellation, execution, hosts, reconciliation
from apps.visualizations.services.lease import render_claim
from apps.visualizations.services.reconciliation import reconcile
from apps.visualizations.states import RenderState
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timedelta(minutes=5)


@pytest.fixture
def age():
    """Sets the named times of a render into the past."""

    def change(render, *names):
        Render.objects.filter(id=render.id).update(**dict.fromkeys(names, timezone.now() - LONG_AGO))

    return change


@pytest.fixture
def lose(age, queue):
    """Simulates a worker that claims the render and dies."""

    def vanish(render, attempt=1):
        assert render_claim(render.id, attempt)
        queue.connection.flushall()
        age(render, "lease_until")

    return vanish


def test_reconcile_has_nothing_to_do_without_differences(submit, queue):
    submit()
    assert str(reconcile()) == "nothing to do"
    assert queue.count == 1


def test_waiting_renders_are_queued_again_after_flushall(submit, queue, age, work, row):
    made = submit()
    queue.connection.flushall()
    assert reconcile().enqueued == 0, "it waits a moment: the job may just have been taken"
    age(made.render, "queued_at")
    assert reconcile().enqueued == 1
    work()
    assert row(made.render).state == RenderState.SUCCEEDED


def test_render_submitted_during_queue_outage_is_queued_later(
    submit, age, row, work, monkeypatch, settings, tmp_path, valkey_url
):
    with monkeypatch.context() as patch:
        patch.setitem(settings.RQ_QUEUES["render-base"], "URL", f"unix://{tmp_path}/nobody.sock")
        made = submit()
        age(made.render, "queued_at")
        assert reconcile().enqueued == 0
    assert reconcile().enqueued == 1
    work()
    assert row(made.render).state == RenderState.SUCCEEDED


def test_lost_worker_leads_to_new_attempt_and_old_one_is_ignored(submit, lose, row, work, kernel):
    made = submit()
    lose(made.render)
    assert reconcile().tried_again == 1
    render = row(made.render)
    assert (render.state, render.attempt, render.losses) == (RenderState.QUEUED, 2, 1)
    execution.render_execute(str(render.id), 1)
    assert kernel.jobs == []
    work()
    assert row(made.render).state == RenderState.SUCCEEDED


def test_worker_without_any_heartbeat_is_detected(submit, row, age, queue):
    made = submit()
    render_claim(made.render.id, 1)
    queue.connection.flushall()
    Render.objects.filter(id=made.render.id).update(lease_until=None)
    assert reconcile().tried_again == 0
    age(made.render, "started_at")
    assert reconcile().tried_again == 1


def test_custom_code_is_not_restarted_after_lost_worker(submit, lose, row, settings):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    made = submit(type_key="custom", code="print(1)")
    lose(made.render)
    assert reconcile().lost == 1
    assert (row(made.render).state, row(made.render).reason) == (RenderState.LOST, "worker_lost")


def test_job_that_kills_two_workers_is_poison(submit, lose, row):
    made = submit()
    lose(made.render)
    reconcile()
    lose(made.render, attempt=2)
    assert reconcile().poisoned == 1
    assert (row(made.render).state, row(made.render).reason) == (RenderState.FAILED, "poison")


def test_job_lost_before_its_claim_counts_as_loss(submit, queue, age, row):
    made = submit()
    queue.connection.delete(queue.key)  # a worker took it from the list and died
    age(made.render, "queued_at")
    assert reconcile().enqueued == 1
    assert (row(made.render).attempt, row(made.render).losses) == (2, 1)
    assert queue.job_ids == [f"render-{made.render.id}-2"]


def test_job_just_taken_by_worker_is_not_lost(submit, work, age, row, monkeypatch):
    """At that moment the job is in no list, and its render is not claimed yet."""
    found = []

    def claim(render_id, attempt):
        found.append(str(reconcile()))
        return render_claim(render_id, attempt)

    monkeypatch.setattr(execution, "render_claim", claim)
    made = submit()
    age(made.render, "queued_at")
    work()
    assert found == ["nothing to do"]
    assert (row(made.render).state, row(made.render).attempt, row(made.render).losses) == (RenderState.SUCCEEDED, 1, 0)


def test_job_stuck_in_intermediate_queue_is_lost_on_second_pass(submit, queue, age, row):
    made = submit()
    age(made.render, "queued_at")
    queue.connection.lmove(queue.key, queue.intermediate_queue_key)
    assert reconcile().enqueued == 0
    assert reconcile().enqueued == 1
    assert (row(made.render).attempt, row(made.render).losses) == (2, 1)


def test_render_past_its_deadline_times_out(submit, age, row):
    made = submit()
    render_claim(made.render.id, 1)
    age(made.render, "deadline")
    assert reconcile().timed_out == 1
    assert row(made.render).state == RenderState.TIMED_OUT


def test_cancel_is_completed_when_worker_is_gone(submit, lose, row, owner):
    made = submit()
    lose(made.render)
    cancellation.render_cancel(caller(owner), row(made.render))
    assert row(made.render).state == RenderState.RUNNING
    assert reconcile().cancelled == 1
    assert row(made.render).state == RenderState.CANCELLED


def test_reconcile_runs_only_with_the_lock(submit, queue):
    with django_rq.get_connection("render-base").lock("vizportal:reconcile", timeout=60):
        assert reconcile().is_idle
    assert not reconcile().is_idle


def test_work_directories_of_dead_attempts_are_removed(submit, kernel, lose):
    made = submit()
    render_claim(made.render.id, 1)
    alive = hosts.work_root() / f"{made.render.id}.1.abc"
    for path in (alive, hosts.work_root() / f"{made.render.id}.2.abc", hosts.work_root() / "else"):
        path.mkdir()
    assert reconciliation.work_dirs_sweep() == 2
    assert list(hosts.work_root().iterdir()) == [alive]


def test_starting_worker_removes_leftovers_of_killed_one(submit, kernel, work):
    submit()
    left = hosts.work_root() / "left"
    left.mkdir()
    work()
    assert not left.exists()
