"""E-mails about proposals: to reviewers about a new version, to its author about the decision."""

from __future__ import annotations

from typing import Final

from django.utils import timezone

from apps.accounts import roles
from apps.accounts.rights import Right
from apps.notifications import deliveries, messages
from apps.promotion.events import ProposalEvent
from apps.promotion.models import VersionState

_MOST_REVIEWERS: Final = 50


def proposal_note(event: ProposalEvent) -> None:
    """Writes e-mails to the reviewers, or to the author, in the transaction that records the event."""
    version, author = event.version, event.version.proposal.author
    if version.state == VersionState.PROPOSED:
        people = roles.people_with(Right.APPROVE).exclude(pk=author.pk if author else None).exclude(email="")
        recipients = list(people.order_by("pk")[:_MOST_REVIEWERS])
    else:
        recipients = [author] if author is not None and author.pk != version.reviewer_id else []
    message = messages.proposal_message(version)
    deliveries.messages_write(recipients, f"proposal:{version.pk}:{version.state}", message, timezone.now())
