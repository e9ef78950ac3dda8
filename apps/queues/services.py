"""Pauses and resumes queues, for administrators."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.queues.selectors import queue_environments
from apps.visualizations.exceptions import InvalidRequestError
from apps.visualizations.models import QueuePause
from apps.visualizations.services.rights import right_check

MOST_REASON_CHARS: Final = 200
"""Maximum length of a pause's reason."""


def queue_pause(caller: Caller, environment: str, reason: str) -> QueuePause:
    """Pauses a queue: workers begin nothing new, running renders end as usual. An existing pause gets the new reason.

    Args:
        environment: "" for all queues.
        reason: a sentence that pages show to everybody.

    Raises:
        NotAllowedError: the caller is no administrator.
        InvalidRequestError: there is no such queue, or the reason is empty or too long.
    """
    right_check(caller, Right.ADMINISTER)
    _environment_check(environment)
    words = " ".join(reason.split())
    if not words or len(words) > MOST_REASON_CHARS:
        text = f"Give a reason of at most {MOST_REASON_CHARS} characters: everybody whose render waits sees it."
        raise InvalidRequestError.at("reason", text)
    values = {"reason": words, "paused_by": caller.username, "paused_at": timezone.now()}
    with transaction.atomic():
        pause, _ = QueuePause.objects.update_or_create(environment=environment, defaults=values)
        audit.record(caller, "queue.pause", target=environment, target_name=_name(environment), detail=words)
    return pause


def queue_resume(caller: Caller, environment: str) -> bool:
    """Ends a pause. A pause of all queues is ended only by the name "".

    Returns:
        False if there was no such pause.

    Raises:
        NotAllowedError: the caller is no administrator.
    """
    right_check(caller, Right.ADMINISTER)
    with transaction.atomic():
        ended, _ = QueuePause.objects.filter(environment=environment).delete()
        if ended:
            audit.record(caller, "queue.resume", target=environment, target_name=_name(environment))
    return bool(ended)


def _environment_check(environment: str) -> None:
    known = queue_environments()
    if environment and environment not in known:
        text = f"There is no queue {environment[:50]!r}; there are {', '.join(known)}."
        raise InvalidRequestError.at("environment", text)


def _name(environment: str) -> str:
    return environment or "all queues"
