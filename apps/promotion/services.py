"""What authors do with proposals: write, propose and withdraw them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.caller import Caller
from apps.promotion.checks import author_check, file_check, sample_check
from apps.promotion.events import ProposalEvent, event_publish
from apps.promotion.files import TypeDraft
from apps.promotion.guessing import draft_guess
from apps.promotion.models import Proposal, Version, VersionState
from apps.promotion.rows import (
    proposal_point,
    proposal_record,
    version_add,
    version_move,
    version_newest,
    version_pending,
)
from apps.runs.entities import Artifact
from apps.runs.exceptions import RunsError
from apps.visualizations import provenance
from apps.visualizations.exceptions import InvalidRequestError
from apps.visualizations.models import Render
from apps.visualizations.selectors import render_get

MOST_PROPOSALS: Final = 50
"""Maximum number of proposals per author."""
MOST_VERSIONS: Final = 100


def draft_begin(caller: Caller, render: Render) -> TypeDraft:
    """Returns the initial content of a new proposal's form, guessed from a render of the caller's custom code.

    Raises:
        NotAllowedError, InvalidRequestError: see `proposal_create`.
    """
    sample_check(caller, render)
    artifact = _artifact_of(caller, render)
    return draft_guess(
        render.code,
        environment=render.environment,
        values=render.arguments,
        artifact_type=artifact.type if artifact else "",
        file_name=artifact.file_name if artifact else render.source_uri.rstrip("/").rpartition("/")[2],
    )


def proposal_create(caller: Caller, render: Render, file: str) -> Proposal:
    """Saves a proposal with its first draft, visible only to its author.

    Args:
        render: a render of the caller's own custom code, as a sample for reviewers.
        file: the type's complete file.

    Raises:
        NotAllowedError: the caller may not run custom code, or the render is somebody else's.
        InvalidRequestError: too many proposals, the render is not of custom code, or the file cannot be proposed.
    """
    sample_check(caller, render)
    kind = file_check(file, None)
    if Proposal.objects.filter(author=caller.user_id).count() >= MOST_PROPOSALS:
        raise InvalidRequestError(f"You have {MOST_PROPOSALS} proposals, the limit. Change one of them.")
    proposal = Proposal(author=caller.owner, author_name=caller.username)
    with transaction.atomic():
        proposal.save(force_insert=True)
        version_add(proposal, kind, file, render)
        proposal_record(caller, "proposal.create", proposal, detail=kind.key)
    return proposal


def proposal_save(caller: Caller, proposal: Proposal, file: str, *, render: Render | None = None) -> Version:
    """Saves a new draft. Versions in review or approved stay as they are.

    Args:
        render: a new sample; None keeps the previous version's.

    Raises:
        NotAllowedError: the caller is not the author, or may not run custom code.
        InvalidRequestError: see `proposal_create`.
    """
    author_check(caller, proposal)
    if render is not None:
        sample_check(caller, render)
    kind = file_check(file, proposal)
    with transaction.atomic():
        # The lock keeps numbers unique where the database has row locks; SQLite has a single writer anyway.
        Proposal.objects.select_for_update().get(pk=proposal.pk)
        if proposal.versions.count() >= MOST_VERSIONS:
            raise InvalidRequestError(f"A proposal has at most {MOST_VERSIONS} versions. Begin a new one.")
        version = version_add(proposal, kind, file, render or proposal.versions.order_by("-number")[0].sample)
        proposal_record(caller, "proposal.save", proposal, detail=f"version {version.number}")
    return version


def proposal_propose(caller: Caller, proposal: Proposal) -> Version:
    """Submits the newest draft for review, replacing a version still in review.

    Raises:
        NotAllowedError: see `proposal_save`.
        WrongStateError: the newest version is not a draft.
        InvalidRequestError: its key was taken or the rules changed meanwhile.
    """
    author_check(caller, proposal)
    version = version_newest(proposal)
    file_check(version.file, proposal)
    with transaction.atomic():
        version_move(version, VersionState.DRAFT, VersionState.PROPOSED, proposed_at=timezone.now())
        others = proposal.versions.filter(state=VersionState.PROPOSED).exclude(pk=version.pk)
        others.update(state=VersionState.WITHDRAWN, decided_at=timezone.now())
        proposal_point(proposal, pending=version)
        proposal_record(caller, "proposal.propose", proposal, detail=f"version {version.number}")
        event_publish(ProposalEvent(version=version))
    return version


def proposal_withdraw(caller: Caller, proposal: Proposal) -> None:
    """Withdraws the version in review.

    Raises:
        NotAllowedError: see `proposal_save`.
        WrongStateError: nothing is in review.
    """
    author_check(caller, proposal)
    version = version_pending(proposal)
    with transaction.atomic():
        version_move(version, VersionState.PROPOSED, VersionState.WITHDRAWN, decided_at=timezone.now())
        proposal_point(proposal, pending=None)
        proposal_record(caller, "proposal.withdraw", proposal, detail=f"version {version.number}")


def sample_get(caller: Caller, render_id: UUID | str) -> Render:
    """Returns a render for use as the sample of a proposal.

    Raises:
        NotFoundError: there is none, or the caller may not see it.
        NotAllowedError, InvalidRequestError: see `proposal_create`.
    """
    render = render_get(caller, render_id)
    sample_check(caller, render)
    return render


def _artifact_of(caller: Caller, render: Render) -> Artifact | None:
    if not render.visualization.run_id or not render.visualization.artifact_name:
        return None
    try:
        return provenance.artifact_now(caller, render.visualization)
    except RunsError:
        # The author then fills in the artifact's type.
        return None
