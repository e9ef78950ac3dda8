"""Who may do what with a proposal, and which file may become a type."""

from __future__ import annotations

from django.conf import settings
from vizkit.types import registry
from vizkit.types.entities import VisualizationType

from apps.accounts import roles
from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.promotion import selectors
from apps.promotion.files import UnfitFileError, file_read
from apps.promotion.models import Proposal
from apps.visualizations.environments import environments
from apps.visualizations.exceptions import InvalidRequestError, NotAllowedError
from apps.visualizations.models import Render
from apps.visualizations.services.rights import right_check
from apps.visualizations.states import RenderState


def sample_check(caller: Caller, render: Render) -> None:
    """Requires a render of the caller's own code; raises as `services.proposal_create`."""
    right_check(caller, Right.CUSTOM_CODE)
    is_own = caller.user_id is not None and render.visualization.owner_id == caller.user_id
    if not is_own:
        raise NotAllowedError("Only its owner may propose the code of a result.")
    if not render.is_custom or render.state != RenderState.SUCCEEDED:
        raise InvalidRequestError("A type is proposed from a result of custom code that was rendered.")
    if render.dependencies:
        names = ", ".join(render.dependencies)[:200]
        raise InvalidRequestError(f"Types have the packages of their environment only; this code asks for {names}.")


def author_check(caller: Caller, proposal: Proposal) -> None:
    """Requires the proposal's author; raises as `services.proposal_save`."""
    right_check(caller, Right.CUSTOM_CODE)
    if not selectors.is_author(caller, proposal):
        raise NotAllowedError("Only its author may do this.")


def may_review(caller: Caller, proposal: Proposal) -> bool:
    """Whether the caller may approve or reject: nobody decides on their own, unless nobody else may."""
    if not caller.may(Right.APPROVE):
        return False
    return not selectors.is_author(caller, proposal) or not roles.has_others(caller.user, Right.APPROVE)


def review_check(caller: Caller, proposal: Proposal) -> bool:
    """Returns whether the caller decides on their own proposal; raises as `decisions.proposal_approve`."""
    right_check(caller, Right.APPROVE)
    if not may_review(caller, proposal):
        raise NotAllowedError("You cannot decide on your own proposal while another reviewer can.")
    return selectors.is_author(caller, proposal)


def file_check(file: str, proposal: Proposal | None) -> VisualizationType:
    """Returns the type of a file that may become one.

    Args:
        proposal: whose key is its own; None for a new one.

    Raises:
        InvalidRequestError: no valid file, a key that is taken, or an environment that is not here.
    """
    kind = file_read(file)
    if proposal and proposal.key:
        if kind.key != proposal.key:
            message = f"An approved type keeps its key, {proposal.key}."
            raise UnfitFileError(message, fields={"key": message})
    elif Proposal.objects.filter(key=kind.key).exists():
        raise key_taken(kind.key)
    if kind.key in registry.types(settings.VIZPORTAL_TYPES_DIRS):
        raise key_taken(kind.key)
    if kind.environment not in environments().get_keys():
        message = f"There is no environment {kind.environment!r}."
        raise UnfitFileError(message, fields={"environment": message})
    return kind


def key_taken(key: str) -> UnfitFileError:
    """Returns the error for a key that another type has."""
    message = f"The key {key!r} is already taken, by a type that exists or once did."
    return UnfitFileError(message, fields={"key": message})
