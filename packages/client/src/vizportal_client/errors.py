"""The client's exceptions; each text is a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping


class PortalError(Exception):
    """The portal refused a request, did not answer, or the answer is not from its API.

    Attributes:
        status: the HTTP status; 0 without an answer.
        code: the portal's error code; "" if it gave none.
        fields: what is wrong, by the name of the request's field.
    """

    def __init__(
        self, message: str, *, status: int = 0, code: str = "", fields: Mapping[str, str] | None = None
    ) -> None:
        self.status, self.code, self.fields = status, code, dict(fields or {})
        details = "; ".join(f"{name}: {text}" for name, text in self.fields.items() if text not in message)
        super().__init__(f"{message} ({details})" if details else message)


class RenderFailedError(PortalError):
    """A render ended without a result; `code` is the reason."""


class WaitedTooLongError(PortalError):
    """A render has not ended in time. It continues in the portal."""
