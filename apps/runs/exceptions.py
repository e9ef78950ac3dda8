"""Errors between the portal and Kubeflow.

`str(error)` is a sentence for users: host, cause, next step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class RunsError(Exception):
    """Base of all exceptions that apps.runs raises on purpose; the text may be shown to users as it is."""


class NotFoundError(RunsError):
    """Kubeflow has no such object, or the caller may not know of it."""


class RunGoneError(NotFoundError):
    """Kubeflow does not have the run, or no longer has it: people delete runs, and runs expire."""


class NotSignedInError(RunsError):
    """Kubeflow requires a sign-in: a 401, a redirect, or a login page instead of JSON."""


class ForbiddenError(RunsError):
    """Kubeflow identified the caller and refused."""


class EndpointDownError(RunsError):
    """No answer: refused, unknown host, timed out, or a gateway's 502/503/504."""


class EndpointSilentError(EndpointDownError):
    """No answer in time, so a page has waited in vain."""


class EndpointError(RunsError):
    """An unusable answer: an error of the endpoint, or not what the API promises."""


class InvalidRequestError(EndpointError):
    """Kubeflow refused the request (400, 409, 412, 422); the text is Kubeflow's own reason."""


class ConflictError(InvalidRequestError):
    """The request conflicts with the current state (409): a name is taken, or an object is in another state."""


HIDDEN = "Kubeflow does not have this, or you may not do this with it."


def words_of(error: RunsError) -> str:
    """Returns the text for a person about an error concerning one object that they named.

    The text does not reveal whether an object exists that they may not see: refusal and absence have the same words.
    """
    return HIDDEN if isinstance(error, NotFoundError | ForbiddenError) else str(error)


@contextmanager
def named_by_person() -> Iterator[None]:
    """Context manager: makes a refusal for an object that a person named look like its absence.

    Raises:
        NotFoundError: instead of a ForbiddenError.
    """
    try:
        yield
    except ForbiddenError as error:
        raise NotFoundError(HIDDEN) from error
