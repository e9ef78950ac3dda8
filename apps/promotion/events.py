"""What apps above this one hear of proposals: that one was proposed, approved or rejected."""

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
    """A version has a new state, which `version` has already: in review, approved or rejected."""

    version: Version


def listener_register(name: str, listen: Callable[[ProposalEvent], None]) -> None:
    """Has a function called with each event, in the transaction that writes it down, so that none is missed.

    Its errors are logged and hinder no proposal.
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
