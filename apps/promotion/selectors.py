"""Read access to proposals: authors see their own, reviewers those that were proposed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.promotion.files import version_number
from apps.promotion.models import Proposal, Version, VersionState
from apps.visualizations import selectors as visualization_selectors
from apps.visualizations.exceptions import NotFoundError
from apps.visualizations.models import Render
from apps.visualizations.selectors import id_read

_SHOWN = ("latest", "pending", "approved")


def proposals_visible(caller: Caller) -> QuerySet[Proposal]:
    """Returns the caller's proposals and, for reviewers, all that were ever proposed, newest first."""
    rows = Proposal.objects.select_related("author", *_SHOWN)
    if not caller.may(Right.VIEW):
        return rows.none()
    if caller.sees_everything:
        return rows
    visible = Q(author=caller.user_id)
    if caller.may(Right.APPROVE):
        shown = Version.objects.exclude(state=VersionState.DRAFT).values("proposal")
        visible |= Q(id__in=shown)
    return rows.filter(visible)


def proposals_own(caller: Caller) -> QuerySet[Proposal]:
    """Returns the proposals that the caller wrote."""
    return proposals_visible(caller).filter(author=caller.user_id, author__isnull=False)


def proposals_pending(caller: Caller) -> QuerySet[Proposal]:
    """Returns the proposals in review, oldest first; none for callers who may not approve."""
    rows = proposals_visible(caller).filter(pending__isnull=False).order_by("pending__proposed_at", "id")
    return rows if caller.may(Right.APPROVE) else rows.none()


def review_count(caller: Caller) -> int:
    """Returns how many proposals of others await the decision of the caller; 0 for callers who may not approve."""
    if not caller.may(Right.APPROVE):
        return 0
    return proposals_pending(caller).exclude(author=caller.user_id).count()


def proposals_decided(caller: Caller) -> QuerySet[Proposal]:
    """Returns the proposals that became types, in use or retired; none for callers who may not approve."""
    rows = proposals_visible(caller).exclude(key="").order_by("key")
    return rows if caller.may(Right.APPROVE) else rows.none()


def proposal_get(caller: Caller, proposal_id: UUID | str) -> Proposal:
    """Returns a proposal.

    Raises:
        NotFoundError: there is none, or the caller may not see it.
    """
    found = proposals_visible(caller).filter(id=id_read(proposal_id)).first()
    if found is None:
        raise NotFoundError("There is no such proposal.")
    return found


def versions_of(caller: Caller, proposal: Proposal) -> QuerySet[Version]:
    """Returns a proposal's versions, newest first; drafts only for their author."""
    rows = Version.objects.filter(proposal__in=proposals_visible(caller).values("id"), proposal=proposal)
    is_all = caller.sees_everything or is_author(caller, proposal)
    return rows if is_all else rows.exclude(state=VersionState.DRAFT)


def version_get(caller: Caller, proposal: Proposal, number: int | None = None) -> Version:
    """Returns a version of a proposal.

    Args:
        number: None for the newest one of the caller's own proposal, else the one in review or the newest visible one.

    Raises:
        NotFoundError: there is none, or it is somebody else's draft.
    """
    rows = versions_of(caller, proposal)
    if number is not None:
        rows = rows.filter(number=number)
    elif proposal.pending_id and not is_author(caller, proposal):
        rows = rows.filter(pk=proposal.pending_id)
    found = rows.first()
    if found is None:
        raise NotFoundError("There is no such version of this proposal.")
    return found


def version_before(caller: Caller, version: Version) -> Version | None:
    """Returns the version that was approved before this one; None if there is none."""
    approved = versions_of(caller, version.proposal).filter(state=VersionState.APPROVED, number__lt=version.number)
    return approved.first()


def sample_of(caller: Caller, version: Version) -> Render | None:
    """Returns the sample render of a version; None if the caller may not see it, or it is gone."""
    if version.sample_id is None:
        return None
    return visualization_selectors.renders_visible(caller).filter(id=version.sample_id).first()


def is_author(caller: Caller, proposal: Proposal) -> bool:
    """Whether the caller wrote a proposal."""
    return caller.user_id is not None and proposal.author_id == caller.user_id


def approval_of(render: Render) -> Version | None:
    """Returns the approved version that a render used; None for CUSTOM and for types with a file on the server.

    Args:
        render: from a selector that checked the caller's permission.
    """
    number = None if render.is_custom else version_number(render.type_version)
    if number is None:
        return None
    rows = Version.objects.filter(state=VersionState.APPROVED, number=number)
    return rows.filter(proposal__key=render.visualization.type_key).first()


def renders_proposed() -> QuerySet[Any]:
    """Returns the ids of the sample renders of proposals, which pruning keeps."""
    return Render.objects.filter(id__in=Version.objects.filter(sample__isnull=False).values("sample")).values("id")
