"""Template contexts of proposals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from vizkit.types.entities import VisualizationType

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.promotion import checks, selectors
from apps.promotion.files import UnfitFileError, file_read
from apps.promotion.guessing import body_of
from apps.promotion.models import Proposal, Version, VersionState
from apps.ui.differences import diff_lines
from apps.visualizations.argument_fields import arguments_form
from apps.visualizations.models import Render


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of a list: a proposal, and its version that the caller may see."""

    proposal: Proposal
    version: Version


def types_of(proposals: Iterable[Proposal]) -> list[Entry]:
    """Returns the rows of the list of types: the approved version of each proposal that has one."""
    return [Entry(proposal=each, version=each.approved) for each in proposals if each.approved]


def entries_of(caller: Caller, proposals: Iterable[Proposal]) -> list[Entry]:
    """Returns the rows of a list: for authors the newest version, for others the one in review or approved."""
    found = []
    for each in proposals:
        shown = each.latest if selectors.is_author(caller, each) else each.pending or each.approved
        version = shown or selectors.versions_of(caller, each).first()
        if version is not None:
            found.append(Entry(proposal=each, version=version))
    return found


def proposal_context(caller: Caller, proposal: Proposal, number: int | None = None) -> dict[str, Any]:
    """Returns the context of a proposal's page.

    Args:
        number: version to show; None for the one relevant to the caller.

    Raises:
        NotFoundError: there is no such version, or the caller may not see it.
    """
    version = selectors.version_get(caller, proposal, number)
    before = selectors.version_before(caller, version)
    sample = selectors.sample_of(caller, version)
    kind, problem = _kind_of(version)
    is_author = selectors.is_author(caller, proposal)
    is_proposed = version.state == VersionState.PROPOSED
    return {
        "proposal": proposal,
        "version": version,
        "versions": list(selectors.versions_of(caller, proposal)),
        "before": before,
        "difference": diff_lines(before.file, version.file) if before else [],
        "kind": kind,
        "problem": problem,
        "argument_fields": list(arguments_form(kind)) if kind else [],
        "sample": sample,
        "is_other_code": sample is not None and kind is not None and not _is_of(sample, kind),
        "is_author": is_author,
        "may_decide": is_proposed and checks.may_review(caller, proposal),
        "is_own_review": is_author and is_proposed and caller.may(Right.APPROVE),
        "may_propose": is_author and version.pk == proposal.latest_id and version.state == VersionState.DRAFT,
        "may_withdraw": is_author and is_proposed,
        "may_retire": proposal.is_in_use and caller.may(Right.APPROVE),
    }


def _kind_of(version: Version) -> tuple[VisualizationType | None, str]:
    """Returns the type of a version's file; or None and the error, if the rules have changed since it was saved."""
    try:
        return file_read(version.file), ""
    except UnfitFileError as error:
        return None, str(error)


def _is_of(sample: Render, kind: VisualizationType) -> bool:
    """Whether a sample was rendered from this code."""
    return body_of(sample.code).strip() == kind.code.strip()
