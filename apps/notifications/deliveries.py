"""The outbox: messages are stored as rows, then sent until an attempt succeeds or all have failed.

Delivery is at least once: if a worker dies after sending a message and before recording that, another attempt sends it
again with the same id. After a recorded success there is no further attempt.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from apps.accounts.sealing import SealError
from apps.notifications.addresses import Address, address_of, email_is_set_up
from apps.notifications.models import OPEN_STATES, Alert, Delivery, DeliveryState, TargetKind
from apps.notifications.rights import refusal_of, refusal_of_person
from apps.notifications.sending import Outcome, message_send
from apps.visualizations import job_queue

JOB: Final = "apps.notifications.deliveries.delivery_send"
DELAYS: Final = tuple(timedelta(seconds=each) for each in (30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600))
"""Delay after each failed attempt; there is one more attempt than delays."""
MOST_ATTEMPTS: Final = len(DELAYS) + 1
MOST_PER_HOUR: Final = 100
"""Maximum number of messages that one person's alerts send in an hour."""
CLAIM: Final = timedelta(seconds=60)
"""Longer than an attempt can take."""
QUEUED_AGAIN: Final = timedelta(minutes=5)
"""A job that has not begun after this time may have been lost with the queue server."""
ATTEMPT_S: Final = 10
"""Maximum duration of an attempt. A receiver can send its answer byte by byte, each within the time limit of a read."""
_SLOW: Final = timedelta(seconds=2)
_REST: Final = 4
"""After a slow attempt ends, its owner's other messages wait this many times its duration."""
_MOST_QUEUED: Final = 200
logger = logging.getLogger(__name__)


def deliveries_write(alert: Alert, key: str, message: dict[str, Any], now: datetime) -> int:
    """Writes a message to each target of an alert, in the caller's transaction; returns how many will be sent.

    Args:
        key: identifies the reported event; an existing message with this key is kept unchanged.
    """
    values: dict[str, Any] = {"alert": alert, "key": key, "message": message, "due_at": now}
    if _is_too_much(alert, now):
        text = f"The alerts of one person send {MOST_PER_HOUR} messages an hour at most."
        values |= {"state": DeliveryState.DROPPED, "error": text, "ended_at": now}
    rows = [Delivery(target=target, **values) for target in alert.targets.all()]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(lambda: deliveries_enqueue(now), robust=True)
    return sum(row.state == DeliveryState.WAITING for row in rows)


def messages_write(people: Iterable[Any], key: str, message: dict[str, Any], now: datetime) -> int:
    """Writes an e-mail to each account that has an address, in the caller's transaction; returns how many.

    Without a mail server, nothing is written: nobody requested these messages.
    """
    if not email_is_set_up():
        return 0
    values = {"key": key, "message": message, "due_at": now}
    rows = [Delivery(recipient=each, **values) for each in people if each.email]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(lambda: deliveries_enqueue(now), robust=True)
    return len(rows)


def _is_too_much(alert: Alert, now: datetime) -> bool:
    recent = Delivery.objects.filter(alert__owner=alert.owner_id, created_at__gt=now - timedelta(hours=1))
    return recent.exclude(state=DeliveryState.DROPPED).count() >= MOST_PER_HOUR


def deliveries_enqueue(now: datetime | None = None) -> int:
    """Queues a job for each message that is due, one at a time per owner of alerts; returns how many.

    Workers send between renders, so targets that do not answer must not occupy more than one of them.
    """
    now = now or timezone.now()
    lost = Q(queued_at=None) | Q(queued_at__lt=now - QUEUED_AGAIN)
    busy = Q(state=DeliveryState.SENDING) | Q(state=DeliveryState.WAITING, queued_at__gte=now - QUEUED_AGAIN)
    at_work = Delivery.objects.filter(busy, state__in=OPEN_STATES).order_by()
    taken: set[tuple[Any, Any]] = set(at_work.values_list("alert__owner_id", "recipient_id"))
    queued = 0
    rows = Delivery.objects.filter(lost, state=DeliveryState.WAITING, due_at__lte=now).order_by("due_at", "id")
    # Left out here too, so that the messages of one person do not hide those of others.
    rows = rows.exclude(alert__owner__in=[owner for owner, _ in taken if owner])
    rows = rows.select_related("alert").only("alert__owner", "recipient_id", "attempts")
    for row in rows[:_MOST_QUEUED]:
        place = row.alert.owner_id if row.alert else None, row.recipient_id
        if place in taken:
            continue
        taken.add(place)
        same = Delivery.objects.filter(lost, id=row.id, state=DeliveryState.WAITING, attempts=row.attempts)
        if not same.update(queued_at=now):
            continue
        if not job_queue.function_enqueue(JOB, row.id, row.attempts + 1, timeout_s=ATTEMPT_S):
            Delivery.objects.filter(id=row.id, queued_at=now).update(queued_at=None)
            break
        queued += 1
    return queued


def deliveries_release(now: datetime) -> int:
    """Releases messages that a worker claimed but did not finish in time; returns how many."""
    gone = Delivery.objects.filter(state=DeliveryState.SENDING, claimed_until__lt=now)
    done = 0
    for row in gone[:_MOST_QUEUED]:
        done += _attempt_end(row, Outcome(error="The worker was lost while it sent this.", is_final=False), now)
    return done


def delivery_send(delivery_id: str, attempt: int, now: datetime | None = None) -> None:
    """Makes one attempt, as a worker's job. Returns quietly if another worker has it or the attempt was already made.

    Args:
        attempt: number of the attempt, from 1.
        now: None for the current time.
    """
    now = now or timezone.now()
    waiting = Delivery.objects.filter(id=delivery_id, state=DeliveryState.WAITING, attempts=attempt - 1)
    values = {"state": DeliveryState.SENDING, "attempts": attempt, "claimed_until": now + CLAIM, "queued_at": None}
    if not waiting.update(**values):
        logger.info("delivery %s attempt %s: nothing to send", delivery_id, attempt)
        return
    rows = Delivery.objects.select_related("target", "alert__owner", "alert__recipe", "recipient")
    row = rows.filter(id=delivery_id).first()
    if row is None:
        # Its alert was deleted at this very moment.
        return
    if row.alert is not None and not row.alert.is_enabled and not row.is_test:
        _end(row, DeliveryState.DROPPED, now, error="The alert was paused before this was sent.")
        return
    began = time.monotonic()
    outcome = _attempt(row, now)
    took = timedelta(seconds=time.monotonic() - began)
    _attempt_end(row, outcome, now)
    if outcome.error and took > _SLOW:
        _rest(row, now + took * (1 + _REST))
    transaction.on_commit(lambda: deliveries_enqueue(now), robust=True)


def _attempt(row: Delivery, now: datetime) -> Outcome:
    if row.alert is None:
        refusal = refusal_of_person(row)
        if refusal:
            return Outcome(error=refusal)
    else:
        refusal = refusal_of(row.alert)
        if refusal:
            Alert.objects.filter(id=row.alert.id).update(problem=refusal)
            # Perhaps Kubeflow is only down temporarily, so try again.
            return Outcome(error=refusal, is_final=False)
    try:
        return message_send(_address(row), str(row.id), row.message, now)
    except JobTimeoutException:
        return Outcome(error=f"It did not answer within {ATTEMPT_S} s.", is_final=False)
    except SealError:
        return Outcome(error="The target's address can no longer be decrypted. Create the alert again.")
    except Exception:
        logger.exception("delivery %s failed", row.id)
        return Outcome(error="Something went wrong in the portal; the worker's log has the cause.", is_final=False)


def _address(row: Delivery) -> Address:
    if row.target is not None:
        return address_of(row.target)
    return Address(kind=TargetKind.EMAIL, address=row.recipient.email if row.recipient else "")


def _attempt_end(row: Delivery, outcome: Outcome, now: datetime) -> bool:
    """Records the outcome of an attempt; after a failure, the next one is due after an increasing delay."""
    values: dict[str, Any] = {"error": outcome.error, "status_code": outcome.status_code}
    if not outcome.error:
        return _end(row, DeliveryState.SENT, now, **values)
    logger.info("delivery %s attempt %s: %s", row.id, row.attempts, outcome.error)
    if outcome.is_final or row.attempts >= MOST_ATTEMPTS:
        return _end(row, DeliveryState.FAILED, now, **values)
    return _change(row, state=DeliveryState.WAITING, due_at=now + DELAYS[row.attempts - 1], **values)


def _rest(row: Delivery, until: datetime) -> None:
    """Delays the owner's other messages, so that slow targets leave most of a worker's time to renders."""
    if row.alert is not None:
        waiting = Delivery.objects.filter(alert__owner=row.alert.owner_id, state=DeliveryState.WAITING)
        waiting.filter(due_at__lt=until).update(due_at=until)


def _end(row: Delivery, state: DeliveryState, now: datetime, **values: Any) -> bool:
    return _change(row, state=state, ended_at=now, **values)


def _change(row: Delivery, **values: Any) -> bool:
    """Ends the current attempt, unless another worker has taken over the delivery since it was read."""
    same = Delivery.objects.filter(id=row.id, state=DeliveryState.SENDING, attempts=row.attempts)
    return bool(same.update(claimed_until=None, **values))
