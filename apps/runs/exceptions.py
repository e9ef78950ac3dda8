"""Errors between the portal and Kubeflow.

`str(error)` is a sentence for users: host, cause, next step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class RunsError(Exception):
    """Base of everything apps.runs raises on purpose; its text may be shown as it is."""


class NotFoundError(RunsError):
    """Kubeflow has no such thing, or this person may not know of it."""


class RunGoneError(NotFoundError):
    """Kubeflow has no such run, or no longer: runs are deleted by people, and expire."""


class NotSignedInError(RunsError):
    """Kubeflow wants a sign-in: a 401, a redirect, or a login page where JSON was expected."""


class ForbiddenError(RunsError):
    """Kubeflow knows who asks, and refuses."""


class EndpointDownError(RunsError):
    """No answer: refused, unknown host, timed out, or a gateway's 502/503/504."""


class EndpointSilentError(EndpointDownError):
    """No answer in time: a page has waited for it in vain."""


class EndpointError(RunsError):
    """An answer that cannot be used: an error of theirs, or not what the API promises."""


class InvalidRequestError(EndpointError):
    """Kubeflow refused what was asked (400, 409, 412, 422); the text is Kubeflow's own reason."""


class ConflictError(InvalidRequestError):
    """What was asked does not fit what there is (409): a name is taken, or something is in another state."""


HIDDEN = "Kubeflow does not have this, or you may not do this with it."


def words_of(error: RunsError) -> str:
    """Returns what to tell a person of an error about one thing that they named.

    Whether something is there that they may not see is not told: a refusal and an absence have the same words.
    """
    return HIDDEN if isinstance(error, NotFoundError | ForbiddenError) else str(error)


@contextmanager
def named_by_person() -> Iterator[None]:
    """Makes a refusal of one thing that a person named look like its absence.

    Raises:
        NotFoundError: in the place of a ForbiddenError.
    """
    try:
        yield
    except ForbiddenError as error:
        raise NotFoundError(HIDDEN) from error
