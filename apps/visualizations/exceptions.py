"""What can be wrong with a request for a visualization; each text is a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping

from apps.visualizations.states import Reason


class VisualizationsError(Exception):
    """Base of all; `code` names it in answers of the API."""

    code: str = "error"

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        if code:
            self.code = code


class InvalidRequestError(VisualizationsError):
    """The request cannot be carried out as it is.

    Attributes:
        fields: what is wrong, by the name of the request's field (`arguments.<name>` for an argument).
    """

    code = "invalid"

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None, code: str = "") -> None:
        super().__init__(message, code=code)
        self.fields = dict(fields or {})


class TooManyQueuedError(VisualizationsError):
    """The user has as many renders waiting as one may have."""

    code = "too_many_queued"

    def __init__(self, limit: int) -> None:
        super().__init__(f"You already have {limit} renders waiting, the limit here. Wait for some to finish.")


class NotAllowedError(VisualizationsError):
    """The user may see the visualization, but not do this with it."""

    code = "not_allowed"


class NotFoundError(VisualizationsError):
    """There is no such thing, or it is not this user's to see."""

    code = "not_found"


class WrongStateError(VisualizationsError):
    """The render's state does not allow this."""

    code = "wrong_state"


class RenderEndedError(VisualizationsError):
    """A render ends without a result; `code` says why."""

    code: Reason

    def __init__(self, message: str, *, code: Reason | None = None) -> None:
        super().__init__(message, code=code or "")


class CustomOffError(RenderEndedError):
    """Custom code is switched off on this server."""

    code = Reason.CUSTOM_OFF

    def __init__(self) -> None:
        super().__init__("Custom code is switched off on this server (ALLOW_CUSTOM_VISUALIZATIONS).")


class MachineError(RenderEndedError):
    """The machine is at fault and not the code."""

    code = Reason.WORKER_LOST


class SourceError(RenderEndedError):
    """A source cannot be brought to the render."""

    code = Reason.SOURCE_MISSING
