"""What can go wrong between the portal and Kubeflow. `str(error)` is a sentence for people: host, cause,
next step.
"""

from __future__ import annotations


class RunsError(Exception):
    """Base of everything apps.runs raises on purpose; its text may be shown as it is."""


class NotFoundError(RunsError):
    """Kubeflow has no such thing, or this person may not know of it."""


class NotSignedInError(RunsError):
    """Kubeflow wants a sign-in: a 401, a redirect, or a login page where JSON was expected."""


class ForbiddenError(RunsError):
    """Kubeflow knows who asks, and refuses."""


class EndpointDownError(RunsError):
    """No answer: refused, unknown host, timed out, or a gateway's 502/503/504."""


class EndpointError(RunsError):
    """An answer that cannot be used: an error of theirs, or not what the API promises."""


class InvalidRequestError(EndpointError):
    """Kubeflow refused what was asked (400, 409, 412, 422); the text is Kubeflow's own reason."""
