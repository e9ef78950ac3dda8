"""Renders are counted once, by the process that records their end, and every web process exports the counts."""

from datetime import timedelta

import pytest
import redis.connection
from django.utils import timezone

from apps.telemetry import shared_metrics
from apps.visualizations import events
from apps.visualizations.models import Render
from apps.visualizations.render_metrics import DURATION, RENDERS
from apps.visualizations.services.cancellation import render_cancel
from apps.visualizations.services.reconciliation import reconcile
from apps.visualizations.states import RenderState
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)


def field(*parts):
    return "\x1f".join(parts)


def finished(scrape, state, kind="table"):
    found = scrape().value("vizportal_renders_finished_total", type=kind, environment="base", state=state)
    return int(found or 0)


def ends(scrape):
    return sum(each.value for each in scrape().samples if each.name == "vizportal_renders_finished_total")


def test_counters_of_all_types_and_states_exist_from_the_start(scrape):
    shown = scrape().labels("vizportal_renders_finished_total")
    assert {"type": "table", "environment": "base", "state": "lost"} in shown
    assert {"type": "tfma", "environment": "tfx", "state": "timed_out"} in shown
    assert not any(labels["state"] in {"queued", "running"} for labels in shown)


def test_render_is_counted_with_duration_and_queue_wait(submit, work, scrape):
    submit()
    work()
    found = scrape()
    place = {"type": "table", "environment": "base"}
    assert found.value("vizportal_renders_finished_total", **place, state="succeeded") == 1
    assert found.value("vizportal_render_seconds_count", **place) == 1
    assert 0 < found.value("vizportal_render_seconds_sum", **place) < 30
    assert found.value("vizportal_render_seconds_bucket", **place, le="600.0") == 1
    assert found.value("vizportal_render_queue_wait_seconds_count", environment="base") == 1


@pytest.mark.parametrize("state", ["failed", "timed_out"])
def test_failed_and_timed_out_renders_are_counted_by_state(submit, work, scrape, kernel, state):
    kernel.outcome = {"state": state, "reason": "code_error" if state == "failed" else "timed_out"}
    submit()
    work()
    assert finished(scrape, state) == 1
    assert finished(scrape, "succeeded") == 0


def test_cancelled_queued_render_counts_once_without_duration(submit, owner, scrape):
    render = submit().render
    render_cancel(caller(owner), render)
    render_cancel(caller(owner), render)
    assert finished(scrape, "cancelled") == 1
    assert scrape().labels("vizportal_render_seconds_count") == []


def test_cancelled_running_render_counts_once(submit, owner, work, kernel, scrape, row):
    made = submit()
    kernel.during = lambda: render_cancel(caller(owner), row(made.render))
    work()
    assert row(made.render).state == RenderState.CANCELLED
    assert finished(scrape, "cancelled") == 1


def abandon(render, **values):
    past = timezone.now() - timedelta(minutes=5)
    Render.objects.filter(id=render.id).update(
        state=RenderState.RUNNING, started_at=past, lease_until=past, deadline=past + timedelta(hours=1), **values
    )


def test_render_of_lost_worker_counts_only_after_the_last_attempt(submit, scrape):
    render = submit().render
    abandon(render)
    assert reconcile().tried_again == 1
    assert ends(scrape) == 0
    abandon(render)
    assert reconcile().poisoned == 1
    assert finished(scrape, "failed") == 1
    assert scrape().value("vizportal_render_seconds_bucket", type="table", environment="base", le="300.0") == 0


def test_lost_custom_render_is_counted_as_lost(submit, scrape):
    abandon(submit().render, is_custom=True)
    reconcile()
    assert finished(scrape, "lost") == 1


def test_counting_needs_no_extra_round_trip(submit, work, row, monkeypatch):
    render = submit().render
    work()
    ended = row(render)
    sent = []
    real = redis.connection.AbstractConnection.send_packed_command
    monkeypatch.setattr(
        redis.connection.AbstractConnection,
        "send_packed_command",
        lambda self, command, **more: (sent.append(command), real(self, command, **more))[1],
    )
    events.publish(ended)
    without = len(sent)
    sent.clear()
    events.publish(ended, is_end=True)
    assert without == len(sent) == 1


def test_render_is_cancelled_without_the_queue_server(submit, row, no_queue, owner):
    render = submit().render
    assert render_cancel(caller(owner), render).state == RenderState.CANCELLED


def test_unknown_types_and_environments_share_one_label(queue, scrape):
    for number in range(3):
        queue.connection.hincrby(shared_metrics.KEY, field(RENDERS.name, f"gone{number}", "base", "succeeded"), 2)
    queue.connection.hincrby(shared_metrics.KEY, field(RENDERS.name, "table", "mars", "odd"), 1)
    queue.connection.hset(shared_metrics.KEY, "of_another_version\x1fx", 5)
    found = scrape()
    assert found.value("vizportal_renders_finished_total", type="other", environment="base", state="succeeded") == 6
    assert found.value("vizportal_renders_finished_total", type="table", environment="other", state="other") == 1


def test_bucket_of_an_older_version_keeps_histogram_consistent(queue, scrape):
    with queue.connection.pipeline() as pipe:
        for seconds in (0.05, 7, 1000):
            DURATION.observe(pipe, seconds, "table", "base")
        pipe.hincrby(shared_metrics.KEY, field(DURATION.name, "table", "base", "20"), 1)
        pipe.execute()
    place = {"type": "table", "environment": "base"}
    found = scrape()
    ends = {"0.1": 1, "5.0": 1, "10.0": 2, "20.0": 3, "30.0": 3, "600.0": 3, "+Inf": 4}
    assert {end: found.value("vizportal_render_seconds_bucket", **place, le=end) for end in ends} == ends
    assert found.value("vizportal_render_seconds_count", **place) == 4


def test_counters_restart_after_queue_server_loses_its_data(submit, work, queue, scrape):
    submit()
    work()
    assert ends(scrape) == 1
    queue.connection.flushall()
    assert ends(scrape) == 0
    submit(force=True)
    work()
    assert finished(scrape, "succeeded") == 1
