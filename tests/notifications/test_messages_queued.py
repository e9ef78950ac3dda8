"""Jobs of messages: queued when due, one at a time per owner, and sent once whatever happens to a worker."""

import contextlib
import socketserver
import threading
from datetime import timedelta

import pytest
from django.utils import timezone
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from apps.notifications import deliveries
from apps.notifications.deliveries import CLAIM, DELAYS, QUEUED_AGAIN
from apps.notifications.models import AlertEvent, Delivery, TargetKind
from apps.visualizations import job_queue

pytestmark = pytest.mark.django_db(transaction=True)


def test_message_is_queued_once_and_only_when_due(crossing, receiver, turn, queue, send):
    crossing()
    assert queue.count == 1
    assert deliveries.deliveries_enqueue() == 0
    receiver.answers = [(500, {})]
    now = timezone.now()
    send(now)
    queue.empty()
    assert deliveries.deliveries_enqueue(now + DELAYS[0] - timedelta(seconds=1)) == 0
    assert deliveries.deliveries_enqueue(now + DELAYS[0]) == 1
    assert queue.count == 1


def test_messages_of_one_owner_are_sent_one_at_a_time(make, ended, turn, queue, receiver, reader):
    for path in ("a", "b", "c"):
        make(targets=[(TargetKind.SLACK, f"{receiver.url}&target={path}")])
    ended(0.5)
    turn()
    assert (Delivery.objects.filter(state="waiting").count(), queue.count) == (3, 1)
    make(user=reader, targets=[(TargetKind.SLACK, receiver.url)])
    ended(0.9)
    ended(0.4)
    turn()
    assert queue.count == 2, "another owner does not wait"


def test_receiver_that_answers_byte_by_byte_is_left_and_delays_its_owner_only(make, ended, turn, settings, reader):
    with trickling() as url:
        settings.VIZPORTAL_NOTIFY_ALLOW = [url]
        make(targets=[(TargetKind.SLACK, f"{url}{path}") for path in ("slow", "next")])
        make(user=reader, targets=[(TargetKind.SLACK, f"{url}other")])
        ended(0.5)
        turn()
        first = Delivery.objects.filter(alert__owner__username="owner").first()
        with UnixSignalDeathPenalty(3, JobTimeoutException):
            deliveries.delivery_send(str(first.id), 1)
    first.refresh_from_db()
    assert (first.state, first.error) == ("waiting", f"It did not answer within {deliveries.ATTEMPT_S} s.")
    # Four times the three seconds of the attempt, less what this test has taken since.
    soon = timezone.now() + timedelta(seconds=9)
    due = {each.target.shown: each.due_at > soon for each in Delivery.objects.select_related("target")}
    delayed = Delivery.objects.filter(due_at__gt=soon).values_list("alert__owner__username", flat=True)
    assert list(delayed) == ["owner", "owner"], due


@contextlib.contextmanager
def trickling():
    """A server whose answer never ends: one byte of a header at a time, each in time for a read."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            with contextlib.suppress(OSError):
                while not stopped.wait(0.05):
                    self.wfile.write(b"x")

    stopped = threading.Event()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            stopped.set()
            server.shutdown()
            thread.join()


def test_lost_job_is_queued_again(crossing, queue, work, receiver, turn):
    crossing()
    queue.connection.flushall()
    now = timezone.now()
    assert deliveries.deliveries_enqueue(now + QUEUED_AGAIN / 2) == 0
    assert deliveries.deliveries_enqueue(now + QUEUED_AGAIN + timedelta(seconds=1)) == 1
    work()
    assert len(receiver.requests) == 1


def test_message_of_dead_worker_is_sent_again_with_the_same_id(crossing, receiver, turn, send):
    """Delivery is at least once: the receiver recognizes a repetition by its id."""
    crossing()

    class DiedError(BaseException):
        pass

    row = Delivery.objects.get()
    now = timezone.now()
    with pytest.MonkeyPatch.context() as patch:
        # Dies after the receiver took the message and before that is recorded.
        sent = deliveries.message_send

        def send_and_die(*given):
            sent(*given)
            raise DiedError

        patch.setattr(deliveries, "message_send", send_and_die)
        with pytest.raises(DiedError):
            deliveries.delivery_send(str(row.id), 1, now)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("sending", 1)
    turn(now + CLAIM - timedelta(seconds=1))
    row.refresh_from_db()
    assert row.state == "sending"
    turn(now + CLAIM + timedelta(seconds=1))
    row.refresh_from_db()
    assert (row.state, row.error) == ("waiting", "The worker was lost while it sent this.")
    send()
    row.refresh_from_db()
    assert (row.state, row.attempts, len(receiver.requests)) == ("sent", 2, 2)
    assert len({headers["x-vizportal-delivery"] for _, headers, _ in receiver.requests}) == 1


def test_late_worker_does_not_change_a_sent_message(crossing, receiver, turn, send):
    crossing()
    row, now = Delivery.objects.get(), timezone.now()

    def take_over():
        receiver.during = None
        turn(now + CLAIM + timedelta(seconds=1))
        deliveries.delivery_send(str(row.id), 2)

    receiver.answers = [(200, {}), (500, {})]
    receiver.during = take_over
    deliveries.delivery_send(str(row.id), 1, now)
    row.refresh_from_db()
    # The second attempt was answered first, so the first one may no longer write its result.
    assert (row.state, row.attempts) == ("sent", 2)


def test_same_job_twice_sends_once(crossing, receiver):
    crossing()
    row = Delivery.objects.get()
    for _ in range(2):
        deliveries.delivery_send(str(row.id), 1)
    assert len(receiver.requests) == 1


def test_target_has_one_job_at_a_time(make, ended, turn, queue, work, receiver):
    make(AlertEvent.RENDER_SUCCEEDED)
    for _ in range(5):
        ended()
    turn()
    assert queue.count == 1
    work()
    assert len(receiver.requests) == 5


def test_planted_jobs_are_refused(queue, work):
    queue.enqueue_call("os.getcwd", args=("3f9e3f56-0000-4000-8000-000000000000", 1))
    queue.enqueue_call(deliveries.JOB, args=("no id", 1))
    queue.enqueue_call(deliveries.JOB, args=("3f9e3f56-0000-4000-8000-000000000000", 1), kwargs={"now": "x"})
    work()
    assert len(queue.failed_job_registry) == 3
    assert job_queue.function_enqueue(deliveries.JOB, "3f9e3f56-0000-4000-8000-000000000000", 1, timeout_s=5)
    work()
    assert len(queue.failed_job_registry) == 3


def test_messages_wait_without_the_queue_server(make, ended, turn, queue, monkeypatch, settings, tmp_path, receiver):
    make()
    ended(0.5)
    with monkeypatch.context() as patch:
        for each in settings.RQ_QUEUES.values():
            patch.setitem(each, "URL", f"unix://{tmp_path}/nobody.sock")
        turn()
    assert Delivery.objects.get().queued_at is None
    assert deliveries.deliveries_enqueue() == 1
