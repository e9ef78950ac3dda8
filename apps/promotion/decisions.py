"""Reviewers' decisions: approve or reject a version, retire a type."""

from __future__ import annotations

from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.promotion.approved import types_forget
from apps.promotion.checks import file_check, key_taken, review_check
from apps.promotion.events import ProposalEvent, event_publish
from apps.promotion.models import Proposal, Version, VersionState
from apps.promotion.rows import proposal_point, proposal_record, version_move, version_pending
from apps.visualizations.exceptions import InvalidRequestError, WrongStateError
from apps.visualizations.services.rights import right_check

MOST_COMMENT_CHARS: Final = 2000


def proposal_approve(caller: Caller, proposal: Proposal, number: int, comment: str = "") -> Version:
    """Makes a version the type, used for new results from now on.

    Args:
        number: the version that the reviewer has read; the call fails if another one is in review.

    Raises:
        NotAllowedError: the caller may not approve, or is the author and somebody else may approve.
        WrongStateError: the version is not in review.
        InvalidRequestError: its key was taken or the rules changed meanwhile, or the comment is too long.
    """
    is_own = review_check(caller, proposal)
    version = version_pending(proposal, number)
    kind = file_check(version.file, proposal)
    values = _decision(caller, comment) | {"is_own": is_own}
    try:
        with transaction.atomic():
            version_move(version, VersionState.PROPOSED, VersionState.APPROVED, **values)
            proposal_point(proposal, pending=None, approved=version, key=kind.key, retired_at=None)
            detail = f"version {version.number}" + (", their own: nobody else may approve" if is_own else "")
            proposal_record(caller, "proposal.approve", proposal, detail=detail)
            event_publish(ProposalEvent(version=version))
    except IntegrityError:
        raise key_taken(kind.key) from None
    types_forget()
    return version


def proposal_reject(caller: Caller, proposal: Proposal, number: int, comment: str) -> Version:
    """Rejects a version, with a reason for its author.

    Raises:
        NotAllowedError, WrongStateError: see `proposal_approve`.
        InvalidRequestError: the comment is missing or too long.
    """
    is_own = review_check(caller, proposal)
    version = version_pending(proposal, number)
    if not comment.strip():
        raise InvalidRequestError("Say why, so that the author can change it.", fields={"comment": "Say why."})
    with transaction.atomic():
        values = _decision(caller, comment) | {"is_own": is_own}
        version_move(version, VersionState.PROPOSED, VersionState.REJECTED, **values)
        proposal_point(proposal, pending=None)
        proposal_record(caller, "proposal.reject", proposal, detail=f"version {version.number}: {comment}")
        event_publish(ProposalEvent(version=version))
    return version


def proposal_retire(caller: Caller, proposal: Proposal) -> None:
    """Retires a type: its results stay, but no new ones are made. Its key stays taken.

    Raises:
        NotAllowedError: the caller may not approve.
        WrongStateError: no version is in use.
    """
    right_check(caller, Right.APPROVE)
    with transaction.atomic():
        rows = Proposal.objects.filter(pk=proposal.pk, retired_at=None, approved__isnull=False)
        if not rows.update(retired_at=timezone.now()):
            raise WrongStateError("No type in use comes from this proposal.")
        proposal.refresh_from_db()
        proposal_record(caller, "proposal.retire", proposal)
    types_forget()


def _decision(caller: Caller, comment: str) -> dict[str, Any]:
    text = comment.strip()
    if len(text) > MOST_COMMENT_CHARS or "\0" in text:
        message = f"A comment has at most {MOST_COMMENT_CHARS:,} characters and no NUL."
        raise InvalidRequestError.at("comment", message)
    named = {"reviewer": caller.owner, "reviewer_name": caller.username}
    return {**named, "comment": text, "decided_at": timezone.now()}
