"""Each rule of a lease by itself: what claims, renews, moves, finishes and gives back a row, and what leaves it."""

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
    """A render that waits, as its row is."""
    return submit().render


@pytest.fixture
def claimed(render):
    return lease.render_claim(render.id, 1)


@pytest.fixture
def published(monkeypatch):
    """What was published: (render's id, its state, whether as its end)."""
    seen = []

    def publish(render, *, is_end=False):
        seen.append((render.id, render.state, is_end))

    monkeypatch.setattr(lease, "publish", publish)
    return seen


@pytest.fixture
def later(monkeypatch):
    """Moves the clock that a lease waits by, of which its intervals are so long that none passes by itself."""
    monkeypatch.setattr(lease, "BEAT_EVERY_S", 1000)
    monkeypatch.setattr(lease, "LOOK_EVERY_S", 1000)
    real, moved = lease.time.monotonic, [0]

    def move(seconds):
        moved[0] += seconds

    monkeypatch.setattr(lease.time, "monotonic", lambda: real() + moved[0])
    return move


@pytest.fixture
def database_away(monkeypatch):
    """Whether every question about renders fails; the errors are those of a server that is away."""

    def fail(**_which):
        raise OperationalError("the database is away")

    return lambda: monkeypatch.setattr(Render.objects, "filter", fail)


def change(render, **values):
    Render.objects.filter(id=render.id).update(**values)


def test_a_claim_writes_the_row_and_returns_it(render, row, published):
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


def test_a_claim_brings_what_the_worker_needs_in_one_question(render, django_assert_num_queries):
    found = lease.render_claim(render.id, 1)
    with django_assert_num_queries(0):
        assert found.visualization.title
        assert found.requested_by.username == "owner"


def test_of_two_renders_the_one_that_is_named_is_claimed(submit):
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
def test_nothing_else_is_claimed(render, row, published, values):
    change(render, **values)
    assert lease.render_claim(render.id, 1) is None
    assert row(render).started_at is None
    assert published == []
    assert not lease.holder_lives(row(render))


def test_of_two_workers_one_claims_a_render(render, published):
    """The other one has read the row, and is first with its UPDATE."""

    def overtake(instance, **_signal):
        change(instance, state=RenderState.RUNNING)

    post_init.connect(overtake, sender=Render)
    try:
        assert lease.render_claim(render.id, 1) is None
    finally:
        post_init.disconnect(overtake, sender=Render)
    assert published == []


def test_a_holder_lives_as_long_as_its_lease(claimed, queue):
    assert lease.holder_lives(claimed)
    [key] = queue.connection.keys("vizportal:holder:*")
    assert 0 < queue.connection.ttl(key) <= lease.LEASE.total_seconds()
    claimed.attempt = 2
    assert not lease.holder_lives(claimed)


def test_without_the_queue_server_nothing_is_known_of_a_holder(render, row, no_queue, caplog):
    caplog.set_level(logging.INFO)
    claimed = lease.render_claim(render.id, 1)
    assert row(claimed).state == RenderState.RUNNING
    assert not lease.holder_lives(claimed)
    assert f"render {render.id}: its holder is not told" in caplog.text
    lease.Lease(claimed).release()
    assert row(claimed).lease_until <= timezone.now()


@pytest.mark.parametrize("error", [QueueDown("away"), OSError("away")], ids=repr)
def test_a_queue_server_that_is_away_ends_no_claim(render, monkeypatch, error):
    def fail():
        raise error

    monkeypatch.setattr(lease, "connection_get", fail)
    monkeypatch.setattr(lease, "publish", lambda _render: None)
    claimed = lease.render_claim(render.id, 1)
    assert not lease.holder_lives(claimed)
    lease.Lease(claimed).release()


@pytest.mark.parametrize("error", [OperationalError("away"), InterfaceError("away")], ids=repr)
def test_a_database_that_comes_back_in_time_claims(render, monkeypatch, caplog, error):
    real, failures = Render.objects.filter, iter([error])

    def find(**which):
        for each in failures:
            raise each
        return real(**which)

    monkeypatch.setattr(Render.objects, "filter", find)
    assert lease.render_claim(render.id, 1).id == render.id
    assert f"render {render.id}: the database does not take it (away), trying again" in caplog.text


def test_a_database_that_stays_away_is_said(render, row, monkeypatch, database_away):
    monkeypatch.setattr(lease, "CLAIM_PATIENCE_S", 0)
    database_away()
    with pytest.raises(OperationalError):
        lease.render_claim(render.id, 1)
    monkeypatch.undo()
    assert row(render).state == RenderState.QUEUED


def test_a_beat_writes_a_cell_that_changed_and_renews_the_lease(claimed, row, published):
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
def test_a_beat_without_another_cell_writes_nothing_for_a_while(claimed, later, published, place):
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
def test_each_renewal_counts_for_the_next_beat_and_for_the_holder(claimed, queue, later, renew):
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
def test_a_row_that_moved_on_is_lost_and_left_alone(claimed, row, published, renew):
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
def test_a_database_that_is_away_for_a_moment_ends_nothing(
    claimed, published, later, database_away, caplog, monkeypatch, act, said
):
    held, deadline = lease.Lease(claimed), claimed.deadline
    later(1000)
    database_away()
    assert not act(held)
    assert not held.is_lost
    assert claimed.deadline == deadline
    assert published == []
    assert f"render {claimed.id}: {said}" in caplog.text


def test_a_deadline_is_moved_by_what_comes_and_the_length_of_a_lease(claimed, row):
    silences = []
    held = lease.Lease(claimed, on_beat=silences.append)
    before = timezone.now()
    held.allow(10_000)
    until = timedelta(seconds=10_000) + lease.LEASE
    assert before + until <= row(claimed).deadline == claimed.deadline <= timezone.now() + until
    assert silences == [10_000]


def test_a_render_without_a_deadline_gets_one(claimed, row):
    claimed.deadline = None
    change(claimed, deadline=None)
    lease.Lease(claimed).allow(0)
    assert row(claimed).deadline == claimed.deadline is not None


def test_a_row_is_read_now_and_then_for_a_cancel(claimed, later, django_assert_num_queries):
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


def test_a_row_that_nobody_cancelled_is_read_again_after_a_while(claimed, later, django_assert_num_queries):
    held = lease.Lease(claimed)
    later(1000)
    with django_assert_num_queries(1):
        assert held.is_cancelled() is False
        assert held.is_cancelled() is False
    later(1000)
    with django_assert_num_queries(1):
        assert held.is_cancelled() is False


def test_a_new_attempt_ends_the_old_one(claimed, later):
    held = lease.Lease(claimed)
    change(claimed, attempt=2)
    later(1000)
    assert held.is_cancelled() is True
    assert held.is_lost is True


def test_a_released_lease_has_ended(claimed, row):
    lease.Lease(claimed).release()
    assert row(claimed).lease_until <= timezone.now()
    assert not lease.holder_lives(claimed)


def test_a_lease_is_kept_in_a_thread_of_its_own_while_the_work_goes_on(claimed, row, monkeypatch):
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


def test_a_thread_that_kept_a_lease_leaves_no_connection(claimed, monkeypatch):
    closed = []
    stand_in = SimpleNamespace(close=lambda: closed.append(threading.current_thread().name))
    monkeypatch.setattr(lease, "connection", stand_in)
    with lease.lease_kept(lease.Lease(claimed)):
        assert closed == []
    assert closed == ["lease"]


def test_the_end_of_an_attempt_is_written_at_once_with_its_figures(claimed, row, published):
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


def test_an_end_that_comes_too_late_is_dropped(claimed, row, published, caplog):
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


def test_a_render_that_is_given_back_waits_as_its_next_attempt(claimed, row, published):
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


def test_a_render_that_moved_on_is_not_given_back(claimed, row, published):
    change(claimed, state=RenderState.CANCELLED)
    assert lease.render_give_back(claimed) is False
    assert (row(claimed).state, row(claimed).attempt) == (RenderState.CANCELLED, 1)
    assert claimed.attempt == 1
    assert published == []
