"""What can go wrong; each text is a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping


class PortalError(Exception):
    """The portal refused a request, did not answer, or answered with something that is not its API.

    Attributes:
        status: HTTP's; 0 where there was no answer.
        code: the portal's word for it; "" where it gave none.
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
    """A render has not ended in time. It goes on in the portal."""
