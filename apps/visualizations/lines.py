"""Names and titles: one line of text that people type."""

from __future__ import annotations

from apps.visualizations.exceptions import InvalidRequestError


def line_of(text: str) -> str:
    """Returns a text as one line: single spaces for all white space, and no NUL."""
    return " ".join(text.replace("\0", "").split())


def line_clean(text: str, *, most: int, least: int = 0, field: str = "title", what: str = "title") -> str:
    """Returns a text as one line, if its length is allowed.

    Args:
        most, least: characters.
        field: the request's field, for the error.
        what: the field's name in the error's message.

    Raises:
        InvalidRequestError: the line is too short or too long.
    """
    line = line_of(text)
    if not least <= len(line) <= most:
        allowed = f"{least} to {most}" if least else f"at most {most}"
        raise InvalidRequestError.at(field, f"The {what} must have {allowed} characters.")
    return line
