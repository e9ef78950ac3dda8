"""The executed notebook as one HTML page: outputs first, code folded away, nothing loaded from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.exporters.templateexporter import TemplateExporter

_TEMPLATE = Path(__file__).with_name("template")


class ResultExporter(TemplateExporter):  # type: ignore[misc]
    """nbconvert's template machinery without HTMLExporter, which parses the whole page again (0.3 s for a table)."""

    export_from_notebook = None
    file_extension = ".html"
    output_mimetype = "text/html"

    def _template_name_default(self) -> str:
        return "vizportal"

    def _extra_template_basedirs_default(self) -> list[str]:
        return [str(_TEMPLATE)]

    @property
    def default_preprocessors(self) -> list[str]:
        """None: the notebook is exported as it was executed."""
        return []


# The richest first. Text output of a cell that also has HTML stays out.
_MIME_ORDER = (
    "application/vnd.jupyter.widget-view+json",
    "text/html",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "image/gif",
    "text/markdown",
    "text/latex",
    "application/json",
    "application/javascript",
    "text/plain",
)


def export_html(notebook: Any, title: str) -> str:
    """Returns the page; `title` names it."""
    exporter = ResultExporter()
    exporter.environment.filters["richest"] = _richest
    exporter.environment.filters["to_json"] = _to_json
    body, _ = exporter.from_notebook_node(notebook, resources={"page_title": title})
    return str(body)


def _richest(data: Any) -> str:
    """Returns the MIME type of an output to show; "" when it has none we can draw."""
    return next((mime for mime in _MIME_ORDER if mime in data), "")


def _to_json(value: Any) -> str:
    import json  # noqa: PLC0415

    return json.dumps(value, indent=1)
