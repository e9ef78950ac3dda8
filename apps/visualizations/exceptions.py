"""Exceptions of requests for visualizations; their messages are sentences for users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from apps.visualizations.states import Reason


class VisualizationsError(Exception):
    """Base class; `code` identifies the error in the API."""

    code: str = "error"

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        if code:
            self.code = code


class InvalidRequestError(VisualizationsError):
    """The request cannot be carried out as it is.

    Attributes:
        fields: messages by the request's field (`arguments.<name>` for an argument).
    """

    code = "invalid"

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None, code: str = "") -> None:
        super().__init__(message, code=code)
        self.fields = dict(fields or {})

    @classmethod
    def at(cls, field: str, message: str, *, code: str = "") -> Self:
        """Returns the error of a single field."""
        return cls(message, fields={field: message}, code=code)


class TooManyQueuedError(VisualizationsError):
    """The user's limit of waiting renders is reached."""

    code = "too_many_queued"

    def __init__(self, limit: int) -> None:
        super().__init__(f"You already have {limit} renders waiting, the limit here. Wait for some to finish.")


class NotAllowedError(VisualizationsError):
    """The user may see the visualization, but not do this with it."""

    code = "not_allowed"


class NotFoundError(VisualizationsError):
    """The object does not exist, or the user may not see it."""

    code = "not_found"


class WrongStateError(VisualizationsError):
    """The render's state does not allow this."""

    code = "wrong_state"


class RenderEndedError(VisualizationsError):
    """A render ends without a result, for the reason in `code`."""

    code: Reason

    def __init__(self, message: str, *, code: Reason | None = None) -> None:
        super().__init__(message, code=code or "")


class CustomOffError(RenderEndedError):
    """Custom code is switched off on this server."""

    code = Reason.CUSTOM_OFF

    def __init__(self) -> None:
        super().__init__("Custom code is switched off on this server (ALLOW_CUSTOM_VISUALIZATIONS).")


class MachineError(RenderEndedError):
    """A machine fault: the code is not to blame."""

    code = Reason.WORKER_LOST


class SourceError(RenderEndedError):
    """The source cannot be fetched."""

    code = Reason.SOURCE_MISSING
