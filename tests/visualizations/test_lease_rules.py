"""Each rule of a lease in isolation: claim, heartbeat, deadline, cancel, finish and give back."""

import contextvars
import logging
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import InterfaceError, OperationalError
from django.db.models.signals import post_init
from django.utils import timezone
from redis.exceptions import ConnectionError as QueueDown
from renderer import KeyFigure

from apps.visualizations.models import Render
from apps.visualizations.services import lease
from apps.visualizations.states import RenderState
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def render(submit):
    """A queued render."""
    return submit().render


@pytest.fixture
def claimed(render):
    return lease.render_claim(render.id, 1)


@pytest.fixture
def published(monkeypatch):
    """The published events: (id of the render, state, is_end)."""
    seen = []

    def publish(render, *, is_end=False):
        seen.append((render.id, render.state, is_end))

    monkeypatch.setattr(lease, "publish", publish)
    return seen


@pytest.fixture
def later(monkeypatch):
    """Moves the lease's clock forward. Its intervals are long enough that none passes by itself."""
    monkeypatch.setattr(lease, "BEAT_EVERY_S", 1000)
    monkeypatch.setattr(lease, "LOOK_EVERY_S", 1000)
    real, moved = lease.time.monotonic, [0]

    def move(seconds):
        moved[0] += seconds

    monkeypatch.setattr(lease.time, "monotonic", lambda: real() + moved[0])
    return move


@pytest.fixture
def database_away(monkeypatch):
    """Makes every query for renders fail as if the database were unreachable."""

    def fail(**_which):
        raise OperationalError("the database is away")

    return lambda: monkeypatch.setattr(Render.objects, "filter", fail)


def change(render, **values):
    Render.objects.filter(id=render.id).update(**values)


def test_claim_updates_and_returns_the_row(render, row, published):
    change(render, cell=3, cells=7)
    before = timezone.now()
    found = lease.render_claim(render.id, 1)
    after = timezone.now()
    for each in (found, row(render)):
        assert (each.id, each.state, each.cell, each.cells) == (render.id, RenderState.RUNNING, 0, 0)
        assert before <= each.started_at <= after
        assert each.lease_until == each.started_at + lease.LEASE
        assert each.deadline == each.started_at + timedelta(seconds=render.timeout_s) + lease.GRACE
    assert published == [(render.id, RenderState.RUNNING, False)]


def test_claim_loads_visualization_and_requester(render, django_assert_num_queries):
    found = lease.render_claim(render.id, 1)
    with django_assert_num_queries(0):
        assert found.visualization.title
        assert found.requested_by.username == "owner"


def test_claim_takes_the_render_with_the_given_id(submit):
    first, second = submit().render, submit(force=True).render
    assert lease.render_claim(second.id, 1).id == second.id
    assert lease.render_claim(first.id, 1).id == first.id


@pytest.mark.parametrize(
    "values",
    [
        {"attempt": 2},
        {"state": RenderState.RUNNING},
        {"state": RenderState.CANCELLED},
        {"cancel_requested_at": LONG_AGO},
    ],
    ids=["another attempt", "running", "cancelled", "being cancelled"],
)
def test_claim_refuses_other_attempts_and_states(render, row, published, values):
    change(render, **values)
    assert lease.render_claim(render.id, 1) is None
    assert row(render).started_at is None
    assert published == []
    assert not lease.holder_lives(row(render))


def test_only_one_of_two_workers_claims_a_render(render, published):
    """Both have read the row, and the other one updates it first."""

    def overtake(instance, **_signal):
        change(instance, state=RenderState.RUNNING)

    post_init.connect(overtake, sender=Render)
    try:
        assert lease.render_claim(render.id, 1) is None
    finally:
        post_init.disconnect(overtake, sender=Render)
    assert published == []


def test_holder_key_expires_with_the_lease(claimed, queue):
    assert lease.holder_lives(claimed)
    [key] = queue.connection.keys("vizportal:holder:*")
    assert 0 < queue.connection.ttl(key) <= lease.LEASE.total_seconds()
    claimed.attempt = 2
    assert not lease.holder_lives(claimed)


def test_holder_is_unknown_without_queue_server(render, row, no_queue, caplog):
    caplog.set_level(logging.INFO)
    claimed = lease.render_claim(render.id, 1)
    assert row(claimed).state == RenderState.RUNNING
    assert not lease.holder_lives(claimed)
    assert f"render {render.id}: its holder is not told" in caplog.text
    lease.Lease(claimed).release()
    assert row(claimed).lease_until <= timezone.now()


@pytest.mark.parametrize("error", [QueueDown("away"), OSError("away")], ids=repr)
def test_claim_succeeds_while_queue_server_is_away(render, monkeypatch, error):
    def fail():
        raise error

    monkeypatch.setattr(lease, "connection_get", fail)
    monkeypatch.setattr(lease, "publish", lambda _render: None)
    claimed = lease.render_claim(render.id, 1)
    assert not lease.holder_lives(claimed)
    lease.Lease(claimed).release()


@pytest.mark.parametrize("error", [OperationalError("away"), InterfaceError("away")], ids=repr)
def test_claim_retries_until_database_is_back(render, monkeypatch, caplog, error):
    real, failures = Render.objects.filter, iter([error])

    def find(**which):
        for each in failures:
            raise each
        return real(**which)

    monkeypatch.setattr(Render.objects, "filter", find)
    assert lease.render_claim(render.id, 1).id == render.id
    assert f"render {render.id}: the database does not take it (away), trying again" in caplog.text


def test_claim_raises_when_database_stays_away(render, row, monkeypatch, database_away):
    monkeypatch.setattr(lease, "CLAIM_PATIENCE_S", 0)
    database_away()
    with pytest.raises(OperationalError):
        lease.render_claim(render.id, 1)
    monkeypatch.undo()
    assert row(render).state == RenderState.QUEUED


def test_heartbeat_writes_changed_cell_and_renews_lease(claimed, row, published):
    change(claimed, lease_until=LONG_AGO)
    silences = []
    held = lease.Lease(claimed, on_beat=silences.append)
    before = timezone.now()
    held.beat(2, 5)
    found = row(claimed)
    assert (found.cell, found.cells) == (claimed.cell, claimed.cells) == (2, 5)
    assert before + lease.LEASE <= found.lease_until <= timezone.now() + lease.LEASE
    assert published == [(claimed.id, RenderState.RUNNING, False)]
    assert silences == [0]
    assert not held.is_lost


@pytest.mark.parametrize("place", [(0, 0), (2, 5), (3, 0)], ids=["none yet", "the same", "of none"])
def test_heartbeat_with_same_cell_writes_only_after_interval(claimed, later, published, place):
    claimed.cell, claimed.cells = (2, 5) if place == (2, 5) else (0, 0)
    held = lease.Lease(claimed)
    change(claimed, lease_until=LONG_AGO)
    later(1900)
    held.beat(*place)
    assert Render.objects.get(id=claimed.id).lease_until == LONG_AGO
    later(100)
    held.beat(*place)
    assert Render.objects.get(id=claimed.id).lease_until > timezone.now()
    assert published == []


@pytest.mark.parametrize("renew", [lambda held: held.beat(1, 2), lambda held: held.renew()], ids=["beat", "renew"])
def test_renewal_restores_holder_and_restarts_interval(claimed, queue, later, renew):
    silences = []
    held = lease.Lease(claimed, on_beat=silences.append)
    queue.connection.flushall()
    later(5000)
    renew(held)
    assert lease.holder_lives(claimed)
    change(claimed, lease_until=LONG_AGO)
    later(1900)
    held.beat(claimed.cell, claimed.cells)
    assert Render.objects.get(id=claimed.id).lease_until == LONG_AGO
    assert silences == [0, 0]


@pytest.mark.parametrize("renew", [lambda held: held.beat(1, 2), lambda held: held.renew()], ids=["beat", "renew"])
def test_lease_of_superseded_attempt_is_lost_and_writes_nothing(claimed, row, published, renew):
    held = lease.Lease(claimed)
    change(claimed, attempt=2, lease_until=LONG_AGO)
    renew(held)
    assert held.is_lost
    assert held.is_cancelled()
    assert row(claimed).lease_until == LONG_AGO
    assert published == []


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda held: held.beat(1, 2), "heartbeat not written"),
        (lambda held: held.renew(), "heartbeat not written"),
        (lambda held: held.allow(10_000), "deadline not moved"),
        (lambda held: held.is_cancelled(), "row not read"),
    ],
    ids=["beat", "renew", "allow", "is_cancelled"],
)
def test_lease_survives_short_database_outage(claimed, published, later, database_away, caplog, monkeypatch, act, said):
    held, deadline = lease.Lease(claimed), claimed.deadline
    later(1000)
    database_away()
    assert not act(held)
    assert not held.is_lost
    assert claimed.deadline == deadline
    assert published == []
    assert f"render {claimed.id}: {said}" in caplog.text


def test_allow_moves_deadline_by_given_time_and_lease_length(claimed, row):
    silences = []
    held = lease.Lease(claimed, on_beat=silences.append)
    before = timezone.now()
    held.allow(10_000)
    until = timedelta(seconds=10_000) + lease.LEASE
    assert before + until <= row(claimed).deadline == claimed.deadline <= timezone.now() + until
    assert silences == [10_000]


def test_allow_sets_missing_deadline(claimed, row):
    claimed.deadline = None
    change(claimed, deadline=None)
    lease.Lease(claimed).allow(0)
    assert row(claimed).deadline == claimed.deadline is not None


def test_cancel_request_is_read_after_interval_and_remembered(claimed, later, django_assert_num_queries):
    held = lease.Lease(claimed)
    change(claimed, cancel_requested_at=LONG_AGO)
    with django_assert_num_queries(0):
        assert not held.is_cancelled()
    later(1000)
    with django_assert_num_queries(1):
        assert held.is_cancelled() is True
    later(1000)
    with django_assert_num_queries(0):
        assert held.is_cancelled() is True
    assert not held.is_lost


def test_uncancelled_row_is_read_once_per_interval(claimed, later, django_assert_num_queries):
    held = lease.Lease(claimed)
    later(1000)
    with django_assert_num_queries(1):
        assert held.is_cancelled() is False
        assert held.is_cancelled() is False
    later(1000)
    with django_assert_num_queries(1):
        assert held.is_cancelled() is False


def test_new_attempt_ends_the_old_one(claimed, later):
    held = lease.Lease(claimed)
    change(claimed, attempt=2)
    later(1000)
    assert held.is_cancelled() is True
    assert held.is_lost is True


def test_released_lease_has_expired(claimed, row):
    lease.Lease(claimed).release()
    assert row(claimed).lease_until <= timezone.now()
    assert not lease.holder_lives(claimed)


def test_separate_thread_renews_the_lease_with_worker_context(claimed, row, monkeypatch):
    monkeypatch.setattr(lease, "BEAT_EVERY_S", 0.01)
    change(claimed, lease_until=LONG_AGO)
    marked = contextvars.ContextVar("marked")
    marked.set("by the worker")
    seen = []
    held = lease.Lease(claimed, on_beat=lambda _silent_s: seen.append(marked.get("")))
    with lease.lease_kept(held):
        [thread] = [each for each in threading.enumerate() if each.name == "lease"]
        assert thread.daemon
        wait_until(lambda: row(claimed).lease_until > timezone.now(), 20, "a renewal")
    assert not thread.is_alive()
    assert set(seen) == {"by the worker"}


def test_lease_thread_closes_its_connection(claimed, monkeypatch):
    closed = []
    stand_in = SimpleNamespace(close=lambda: closed.append(threading.current_thread().name))
    monkeypatch.setattr(lease, "connection", stand_in)
    with lease.lease_kept(lease.Lease(claimed)):
        assert closed == []
    assert closed == ["lease"]


def test_finish_writes_state_and_figures_together(claimed, row, published):
    before = timezone.now()
    figures = [KeyFigure(name="auc", value=0.9, better="higher")]
    assert lease.render_finish(claimed, state=RenderState.SUCCEEDED, figures=figures, message="Done.") is True
    for found in (claimed, row(claimed)):
        assert (found.state, found.message, found.lease_until) == (RenderState.SUCCEEDED, "Done.", None)
        assert before <= found.finished_at <= timezone.now()
    [figure] = row(claimed).figures.all()
    assert (figure.name, figure.value, figure.better) == ("auc", 0.9, "higher")
    assert published == [(claimed.id, RenderState.SUCCEEDED, True)]
    claimed.visualization.refresh_from_db()
    assert claimed.visualization.outcome == "succeeded"


def test_late_finish_is_dropped(claimed, row, published, caplog):
    caplog.set_level(logging.INFO)
    change(claimed, attempt=2)
    figures = [KeyFigure(name="auc", value=0.9, better="higher")]
    assert lease.render_finish(claimed, state=RenderState.FAILED, figures=figures) is False
    assert (row(claimed).state, claimed.state) == (RenderState.RUNNING, RenderState.RUNNING)
    assert not row(claimed).figures.exists()
    assert published == []
    assert f"render {claimed.id} attempt 1: came too late, dropped" in caplog.text
    claimed.visualization.refresh_from_db()
    assert claimed.visualization.outcome == ""


def test_given_back_render_is_queued_as_next_attempt(claimed, row, published):
    change(claimed, cell=3, cells=7, losses=1)
    claimed.losses = 1
    before = timezone.now()
    assert lease.render_give_back(claimed) is True
    for found in (claimed, row(claimed)):
        assert (found.state, found.attempt, found.losses) == (RenderState.QUEUED, 2, 2)
        assert (found.cell, found.cells) == (0, 0)
        assert (found.started_at, found.deadline, found.lease_until) == (None, None, None)
        assert before <= found.queued_at <= timezone.now()
    assert published == [(claimed.id, RenderState.QUEUED, False)]


def test_cancelled_render_is_not_given_back(claimed, row, published):
    change(claimed, state=RenderState.CANCELLED)
    assert lease.render_give_back(claimed) is False
    assert (row(claimed).state, row(claimed).attempt) == (RenderState.CANCELLED, 1)
    assert claimed.attempt == 1
    assert published == []
