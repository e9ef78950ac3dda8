"""Events for higher apps: a version was proposed, approved or rejected."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, transaction

from apps.promotion.models import Version

logger = logging.getLogger(__name__)
_listeners: Final[dict[str, Callable[[ProposalEvent], None]]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalEvent:
    """A version's state has changed to proposed, approved or rejected."""

    version: Version


def listener_register(name: str, listen: Callable[[ProposalEvent], None]) -> None:
    """Registers a listener for events. It is called in the transaction that records the event, so none is missed.

    A listener's errors are logged and do not affect the proposal.
    """
    _listeners[name] = listen


def event_publish(event: ProposalEvent) -> None:
    """Calls the listeners."""
    for name, listen in _listeners.items():
        try:
            with transaction.atomic():
                listen(event)
        except DatabaseError:
            raise
        except Exception:
            logger.exception("proposal %s: %s failed", event.version.proposal_id, name)
