"""API operations of proposals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from apps.accounts.caller import Caller, caller_of
from apps.promotion import decisions, selectors, services
from apps.promotion.files import file_write
from apps.promotion.models import Proposal, Version
from apps.visualizations.api.pages import page_at
from apps.visualizations.api.schemas import errors

router = Router(tags=["proposals"])
PageSize = Annotated[int, Query(ge=1, le=200)]


class ProposalIn(Schema):
    """A new proposal: a render of your own custom code, and the type's file; by default the file is guessed."""

    render_id: UUID
    file: str = ""


class VersionIn(Schema):
    """A new draft of a proposal; without `render_id` it keeps the previous sample."""

    file: str
    render_id: UUID | None = None


class DecisionIn(Schema):
    """A decision on the version that you have read."""

    version: int
    comment: str = ""


class VersionOut(Schema):
    """A version; `file` is the type's complete file."""

    number: int
    key: str
    title: str
    state: str = Field(description="draft, proposed, approved, rejected or withdrawn")
    file: str
    sample_id: str | None = Field(description="The render that shows what it does; null where you may not see it.")
    created_at: datetime
    proposed_at: datetime | None
    decided_at: datetime | None
    reviewer: str
    comment: str


class ProposalOut(Schema):
    """A proposal with one version: by default your newest one, or for reviewers the one in review."""

    id: str
    url: str
    key: str = Field(description="Of the type; empty before the first approval.")
    author: str
    created_at: datetime
    retired_at: datetime | None
    approved: int | None = Field(description="The version that is the type.")
    versions: list[int]
    version: VersionOut


class ProposalPage(Schema):
    """A page of proposals."""

    items: list[ProposalOut]
    next: str | None


@router.get("", response={200: ProposalPage, **errors(400)}, url_name="proposals")
def proposals_list(request: HttpRequest, page_size: PageSize = 50, page_token: str = "") -> Any:
    """Lists your proposals and, for reviewers, all that were proposed, newest first."""
    caller = caller_of(request)
    found, following = page_at(selectors.proposals_visible(caller), page_size=page_size, page_token=page_token)
    return {"items": [_shape(caller, each) for each in found], "next": following}


@router.post("", response={201: ProposalOut, **errors(400, 404)}, url_name="proposal_create")
def proposal_create(request: HttpRequest, payload: ProposalIn) -> Any:
    """Saves a draft of a type, visible only to you."""
    caller = caller_of(request)
    render = services.sample_get(caller, payload.render_id)
    file = payload.file or file_write(services.draft_begin(caller, render))
    return Status(201, _shape(caller, services.proposal_create(caller, render, file)))


@router.get("/{proposal_id}", response={200: ProposalOut, **errors(404)}, url_name="proposal")
def proposal_get(request: HttpRequest, proposal_id: UUID, version: int | None = None) -> Any:
    """Returns a proposal with one of its versions."""
    caller = caller_of(request)
    return _shape(caller, selectors.proposal_get(caller, proposal_id), version)


@router.post("/{proposal_id}/versions", response={201: ProposalOut, **errors(400, 404)}, url_name="proposal_save")
def proposal_save(request: HttpRequest, proposal_id: UUID, payload: VersionIn) -> Any:
    """Saves a new draft; versions in review or approved stay as they are."""
    caller = caller_of(request)
    proposal = selectors.proposal_get(caller, proposal_id)
    render = services.sample_get(caller, payload.render_id) if payload.render_id else None
    services.proposal_save(caller, proposal, payload.file, render=render)
    return Status(201, _shape(caller, proposal))


@router.post("/{proposal_id}/propose", response={200: ProposalOut, **errors(400, 404, 409)}, url_name="propose")
def proposal_propose(request: HttpRequest, proposal_id: UUID) -> Any:
    """Submits your newest draft for review."""
    caller = caller_of(request)
    proposal = selectors.proposal_get(caller, proposal_id)
    services.proposal_propose(caller, proposal)
    return _shape(caller, proposal)


@router.post("/{proposal_id}/withdraw", response={200: ProposalOut, **errors(404, 409)}, url_name="withdraw")
def proposal_withdraw(request: HttpRequest, proposal_id: UUID) -> Any:
    """Withdraws your version from review."""
    caller = caller_of(request)
    proposal = selectors.proposal_get(caller, proposal_id)
    services.proposal_withdraw(caller, proposal)
    return _shape(caller, proposal)


@router.post("/{proposal_id}/approve", response={200: ProposalOut, **errors(400, 404, 409)}, url_name="approve")
def proposal_approve(request: HttpRequest, proposal_id: UUID, payload: DecisionIn) -> Any:
    """Approves a version, which makes it the type."""
    caller = caller_of(request)
    proposal = selectors.proposal_get(caller, proposal_id)
    decisions.proposal_approve(caller, proposal, payload.version, payload.comment)
    return _shape(caller, proposal, payload.version)


@router.post("/{proposal_id}/reject", response={200: ProposalOut, **errors(400, 404, 409)}, url_name="reject")
def proposal_reject(request: HttpRequest, proposal_id: UUID, payload: DecisionIn) -> Any:
    """Rejects a version; the comment tells its author why."""
    caller = caller_of(request)
    proposal = selectors.proposal_get(caller, proposal_id)
    decisions.proposal_reject(caller, proposal, payload.version, payload.comment)
    return _shape(caller, proposal, payload.version)


@router.post("/{proposal_id}/retire", response={200: ProposalOut, **errors(404, 409)}, url_name="retire")
def proposal_retire(request: HttpRequest, proposal_id: UUID) -> Any:
    """Retires a type; its results stay."""
    caller = caller_of(request)
    proposal = selectors.proposal_get(caller, proposal_id)
    decisions.proposal_retire(caller, proposal)
    return _shape(caller, proposal)


def _shape(caller: Caller, proposal: Proposal, number: int | None = None) -> dict[str, Any]:
    return {
        "id": str(proposal.id),
        "url": proposal.get_absolute_url(),
        "key": proposal.key,
        "author": proposal.author_name,
        "created_at": proposal.created_at,
        "retired_at": proposal.retired_at,
        "approved": proposal.approved.number if proposal.approved else None,
        "versions": list(selectors.versions_of(caller, proposal).values_list("number", flat=True)),
        "version": _version_shape(caller, selectors.version_get(caller, proposal, number)),
    }


def _version_shape(caller: Caller, version: Version) -> dict[str, Any]:
    sample = selectors.sample_of(caller, version)
    names = ("number", "key", "title", "state", "file", "created_at", "proposed_at", "decided_at", "comment")
    return {name: getattr(version, name) for name in names} | {
        "sample_id": str(sample.id) if sample else None,
        "reviewer": version.reviewer_name,
    }
