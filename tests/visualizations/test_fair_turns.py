"""Turns in the queue: one person's many renders do not delay others for long, and paused queues give no turn."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.visualizations import dispatch, job_queue, selectors, turns
from apps.visualizations.models import QueuePause, Render
from apps.visualizations.services import reconciliation
from apps.visualizations.states import RenderState
from tests.visualizations.conftest import DeafWorker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def many(submit):
    """Queues that many renders of one person and returns their ids."""

    def queue_up(user, count):
        return [submit(user=user, title=str(number), force=True).render.id for number in range(count)]

    return queue_up


def begun():
    """Returns the ids of the renders that have started, in that order."""
    return list(Render.objects.filter(started_at__isnull=False).order_by("started_at").values_list("id", flat=True))


def test_many_renders_of_one_person_delay_another_by_one_turn(many, work, kernel, owner, reader):
    hog = many(owner, 4)
    late = []

    def ask_once():
        if not late:
            late.extend(many(reader, 1))

    kernel.during = ask_once
    work()
    assert begun() == [hog[0], late[0], *hog[1:]]


def test_people_take_turns_as_their_queue_places_say(many, work, owner, reader, admin):
    a, b, c = many(owner, 3), many(reader, 2), many(admin, 1)
    expected = [a[0], b[0], c[0], a[1], b[1], a[2]]
    assert list(selectors.queue_places("base")) == expected
    work()
    assert begun() == expected
    assert {each.state for each in Render.objects.all()} == {RenderState.SUCCEEDED}


def test_queue_order_follows_last_turn_and_running_renders(many, work, owner, reader):
    many(reader, 1)
    work()
    many(owner, 1)
    work()
    a, b = many(owner, 2), many(reader, 2)
    assert turns.queue_order("base") == [b[0], a[0], b[1], a[1]]
    Render.objects.filter(id=b[0]).update(state=RenderState.RUNNING, started_at=timezone.now())
    assert turns.queue_order("base") == [a[0], b[1], a[1]]
    assert turns.render_next(["base"])[0] == a[0]


def test_renders_without_account_count_as_one_requester(many, owner, reader):
    nobody, mine = many(reader, 2), many(owner, 1)
    Render.objects.filter(id__in=nobody).update(requested_by=None)
    Render.objects.filter(id=nobody[0]).update(state=RenderState.RUNNING, started_at=timezone.now())
    assert turns.render_next(["base"])[0] == mine[0]
    assert turns.queue_order("base") == [mine[0], nobody[1]]


def take(queue):
    """Takes the first job as a worker does and returns the turn."""
    taken = queue.connection.lmove(queue.key, queue.intermediate_queue_key).decode()
    job = job_queue.RenderJob.fetch(taken, connection=queue.connection, serializer=job_queue.JSONSerializer)
    return dispatch.turn_take(job, queue, {"base": queue})


def test_single_waiting_render_costs_one_query(submit, queue, owner, django_assert_num_queries):
    lone = submit(user=owner).render
    with django_assert_num_queries(1):
        assert take(queue).job.id == job_queue.job_id(lone)


def test_swapping_two_jobs_leaves_no_job_between_lists(many, queue, work, owner, reader):
    many(owner, 1)
    work()
    a, b = many(owner, 2), many(reader, 1)
    turn = take(queue)
    assert turn.job.id == f"render-{b[0]}-1"
    assert queue.job_ids == [f"render-{each}-1" for each in a]
    assert queue.intermediate_queue.get_job_ids() == [turn.job.id]


def test_render_without_job_does_not_block_others(many, queue, work, owner, reader):
    """The next render in order has no job: others have their turn until the reconciler queues it again."""
    many(owner, 1)
    work()
    a, b = many(owner, 2), many(reader, 1)
    job_queue.job_discard(Render.objects.get(id=b[0]))
    work()
    assert set(a) < set(begun())
    Render.objects.filter(id=b[0]).update(queued_at=timezone.now() - timedelta(minutes=1))
    assert reconciliation.reconcile().enqueued == 1
    work()
    assert begun()[-1] == b[0]


def test_job_of_cancelled_render_is_taken_without_a_swap(many, queue, work, owner, reader):
    many(owner, 1)
    work()
    a, b = many(owner, 1), many(reader, 1)
    Render.objects.filter(id=a[0]).update(state=RenderState.CANCELLED)
    assert take(queue).job.id == f"render-{a[0]}-1"
    assert queue.job_ids == [f"render-{b[0]}-1"]


def test_turns_span_all_queues_of_a_worker(many, work, queue, kernel, owner, reader):
    """A worker listens to its environments in an order, which must not decide whose turn it is."""
    tfx = job_queue.queue_get("tfx")
    many(owner, 3)
    late = many(reader, 1)
    job_queue.job_discard(Render.objects.get(id=late[0]))
    Render.objects.filter(id=late[0]).update(environment="tfx")
    job_queue.render_enqueue(Render.objects.get(id=late[0]))
    DeafWorker([queue, tfx], connection=queue.connection).work(burst=True, logging_level="WARNING")
    assert begun()[1] == late[0]
    assert (queue.count, tfx.count) == (0, 0)


def test_paused_queue_starts_nothing_and_keeps_its_jobs(many, queue, work, owner):
    made = many(owner, 2)
    pause = QueuePause.objects.create(environment="base", reason="new disks")
    work()
    assert (begun(), queue.count) == ([], 2)
    assert take(queue) is None
    assert queue.job_ids == [f"render-{each}-1" for each in made]
    assert queue.intermediate_queue.get_job_ids() == []
    place = selectors.queue_place(Render.objects.get(id=made[0]))
    assert (place.position, place.eta_s) == (1, None)
    pause.delete()
    work()
    assert begun() == made


@pytest.mark.parametrize("paused", ["base", "tfx"])
def test_worker_continues_in_the_queue_that_is_not_paused(many, queue, kernel, owner, reader, paused):
    tfx = job_queue.queue_get("tfx")
    one, other = many(owner, 1), many(reader, 1)
    job_queue.job_discard(Render.objects.get(id=other[0]))
    Render.objects.filter(id=other[0]).update(environment="tfx")
    job_queue.render_enqueue(Render.objects.get(id=other[0]))
    pause = QueuePause.objects.create(environment=paused, reason="x")
    worker = DeafWorker([queue, tfx], connection=queue.connection)
    worker.work(burst=True, logging_level="WARNING")
    assert Render.objects.get(environment=paused).state == RenderState.QUEUED
    assert Render.objects.exclude(environment=paused).get().state != RenderState.QUEUED
    pause.delete()
    DeafWorker([queue, tfx], connection=queue.connection).work(burst=True, logging_level="WARNING")
    assert set(begun()) == {one[0], other[0]}


def test_api_lists_queue_in_order_of_turns(many, work, browser, owner, reader):
    many(owner, 1)
    work()
    a, b = many(owner, 2), many(reader, 1)
    items = browser(owner).get("/api/v1/queue").json()["items"]
    assert [(each["id"], each["position"]) for each in items] == [(str(b[0]), 1), (str(a[0]), 2), (str(a[1]), 3)]
