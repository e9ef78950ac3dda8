"""Changes to the rows of proposals, and their entries in the audit log."""

from __future__ import annotations

from typing import Any

from django.db.models import Max
from vizkit.types.entities import VisualizationType

from apps.accounts import audit
from apps.accounts.caller import Caller
from apps.promotion.models import Proposal, Version, VersionState
from apps.visualizations.exceptions import NotFoundError, WrongStateError
from apps.visualizations.models import Render


def version_add(proposal: Proposal, kind: VisualizationType, file: str, sample: Render | None) -> Version:
    """Inserts a proposal's next version, as a draft."""
    last = proposal.versions.aggregate(last=Max("number"))["last"] or 0
    version = Version.objects.create(
        proposal=proposal, number=last + 1, file=file, key=kind.key, title=kind.title, sample=sample
    )
    proposal_point(proposal, latest=version)
    return version


def version_newest(proposal: Proposal) -> Version:
    """Returns the newest version, in any state."""
    version = proposal.versions.order_by("-number").first()
    if version is None:
        raise NotFoundError("This proposal has no version.")
    return version


def version_pending(proposal: Proposal, number: int | None = None) -> Version:
    """Returns the version in review.

    Args:
        number: the expected version; None for any.

    Raises:
        WrongStateError: no version is in review, or another one.
    """
    version = proposal.versions.filter(state=VersionState.PROPOSED).first()
    if version is None:
        raise WrongStateError("No version of this proposal is in review.")
    if number is not None and version.number != number:
        raise WrongStateError(f"Version {number} is not in review; version {version.number} is. Read that one first.")
    return version


def version_move(version: Version, before: VersionState, after: VersionState, **values: Any) -> None:
    """Changes a version's state; raises WrongStateError if somebody else has changed it meanwhile."""
    if not Version.objects.filter(pk=version.pk, state=before).update(state=after, **values):
        raise WrongStateError(f"Version {version.number} is not {before.label.lower()} any more.")
    version.refresh_from_db()


def proposal_point(proposal: Proposal, **values: Any) -> None:
    """Updates a proposal's row and refreshes the object."""
    Proposal.objects.filter(pk=proposal.pk).update(**values)
    proposal.refresh_from_db()


def proposal_record(caller: Caller, action: str, proposal: Proposal, *, detail: str = "") -> None:
    """Records an action on a proposal in the audit log."""
    name = proposal.latest.title if proposal.latest else proposal.key
    audit.record(caller, action, target=proposal.id, target_name=name, detail=detail)
