"""A saved visualization with its latest render, as displayed by notebooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

_LARGEST_SHOWN: Final = 16 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A visualization whose render succeeded.

    Attributes:
        series_id: of the series that it belongs to; "" for none.
        url: of its page.
        figures: key figures by name.
    """

    id: str
    title: str
    url: str
    series_id: str
    figures: Mapping[str, float]
    html_bytes: int
    _read: Callable[[], str] = field(repr=False, compare=False)

    def html(self) -> str:
        """Returns the result as a self-contained page.

        Raises:
            PortalError: it cannot be read.
        """
        return self._read()

    def _repr_html_(self) -> str:
        link = f'<a href="{escape(self.url)}" target="_blank" rel="noopener">{escape(self.title)}</a>'
        if self.html_bytes > _LARGEST_SHOWN:
            return f"<p>{link} is too large to be shown here.</p>"
        # Without allow-same-origin, the result's scripts cannot access the notebook.
        frame = f'<iframe sandbox="allow-scripts" srcdoc="{escape(self.html())}" width="100%" height="600"></iframe>'
        return f"<p>{link}</p>{frame}"


def result_of(visualization: Mapping[str, Any], url: str, read: Callable[[], str]) -> Result:
    """Converts an answer of the API to a result."""
    return Result(
        id=visualization["id"],
        title=visualization["title"],
        url=url,
        series_id=visualization.get("series_id") or "",
        figures={each["name"]: each["value"] for each in visualization["figures"]},
        html_bytes=visualization["render"].get("html_bytes") or 0,
        _read=read,
    )
