"""What can be wrong with a request for a visualization; each text is a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping


class VisualizationsError(Exception):
    """Base of all; `code` is the machine's word for it, in API answers and as a render's reason."""

    code = "error"

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


class CustomOffError(VisualizationsError):
    """Custom code is switched off on this server."""

    code = "custom_off"

    def __init__(self) -> None:
        super().__init__("Custom code is switched off on this server (ALLOW_CUSTOM_VISUALIZATIONS).")


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


class MachineError(VisualizationsError):
    """The machine is at fault and not the code; a predefined type is tried once more.

    `code` is one of worker_lost, host_failed, killed_by_system, work_disk_full, work_dir_failed, store_full,
    store_failed, no_descriptors.
    """

    code = "worker_lost"


class SourceError(VisualizationsError):
    """A source cannot be brought to the render.

    `code` is one of source_missing, source_refused, source_too_big, source_timeout, source_changed, endpoint_down.
    """

    code = "source_missing"
