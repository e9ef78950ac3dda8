"""Reads the files of a render's outcome."""

from renderer import RenderOutcome


def page_of(outcome: RenderOutcome) -> str:
    """Returns the exported page, or "" if there is none."""
    return _text(outcome.html)


def notebook_of(outcome: RenderOutcome) -> str:
    """Returns the executed notebook's JSON, or "" if there is none."""
    return _text(outcome.notebook)


def _text(file):
    if file is None:
        return ""
    file.seek(0)
    return file.read().decode()
