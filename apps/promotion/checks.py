"""Permission checks for proposals, and the rules for files of types."""

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
    """Requires a successful render of the caller's own custom code.

    Raises:
        NotAllowedError, InvalidRequestError: see `services.proposal_create`.
    """
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
    """Requires that the caller is the proposal's author.

    Raises:
        NotAllowedError: see `services.proposal_save`.
    """
    right_check(caller, Right.CUSTOM_CODE)
    if not selectors.is_author(caller, proposal):
        raise NotAllowedError("Only its author may do this.")


def may_review(caller: Caller, proposal: Proposal) -> bool:
    """Whether the caller may approve or reject; authors may decide on their own proposal only if nobody else may."""
    if not caller.may(Right.APPROVE):
        return False
    return not selectors.is_author(caller, proposal) or not roles.has_others(caller.user, Right.APPROVE)


def review_check(caller: Caller, proposal: Proposal) -> bool:
    """Requires that the caller may review, and returns whether the proposal is their own.

    Raises:
        NotAllowedError: see `decisions.proposal_approve`.
    """
    right_check(caller, Right.APPROVE)
    if not may_review(caller, proposal):
        raise NotAllowedError("You cannot decide on your own proposal while another reviewer can.")
    return selectors.is_author(caller, proposal)


def file_check(file: str, proposal: Proposal | None) -> VisualizationType:
    """Validates a file and returns its type.

    Args:
        proposal: the file's proposal, which may keep its own key; None for a new one.

    Raises:
        InvalidRequestError: the file is invalid, its key is taken, or its environment does not exist.
    """
    kind = file_read(file)
    if proposal and proposal.key:
        if kind.key != proposal.key:
            message = f"An approved type keeps its key, {proposal.key}."
            raise UnfitFileError.at("key", message)
    elif Proposal.objects.filter(key=kind.key).exists():
        raise key_taken(kind.key)
    if kind.key in registry.types(settings.VIZPORTAL_TYPES_DIRS):
        raise key_taken(kind.key)
    if kind.environment not in environments().get_keys():
        message = f"There is no environment {kind.environment!r}."
        raise UnfitFileError.at("environment", message)
    return kind


def key_taken(key: str) -> UnfitFileError:
    """Returns the error for a key that another type uses or used."""
    message = f"The key {key!r} is already taken, by a type that exists or once did."
    return UnfitFileError.at("key", message)
