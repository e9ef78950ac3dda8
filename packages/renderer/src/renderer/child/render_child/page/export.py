"""The executed notebook as one HTML page: outputs first, code folded away, nothing loaded from elsewhere.

The exporter is created once and kept (`warm`), best before a host forks: creating it costs forty times as much as a
page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from nbconvert.exporters.templateexporter import TemplateExporter

from .assets import AssetIndex
from .highlight import highlight
from .outputs import outputs_to_html
from .printed_text import warnings_to_html
from .widgets import STATE

_TEMPLATE: Final = Path(__file__).with_name("template")
_STATIC: Final = Path(__file__).with_name("static")
# Style and behaviour of every page, by the addresses at which the trusted side serves these same files.
_OWN: Final = {
    path.suffix[1:]: f"/assets/{hashlib.sha256(path.read_bytes()).hexdigest()}{path.suffix}"
    for path in _STATIC.iterdir()
}
_INPUTS_TAG: Final = "vizportal-inputs"


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
        """Empty: the notebook is exported as it was executed."""
        return []

    def from_notebook_node(
        self, nb: Any, resources: dict[str, Any] | None = None, **more: Any
    ) -> tuple[str, dict[str, Any]]:
        """Returns the page and the resources. Unlike nbconvert's method, it does not copy the notebook first.

        It changes nothing in it, and a copy would double the memory of a 60 MB notebook.
        """
        resources = {"page_title": "", **(resources or {})}
        return str(self.template.render(resources=resources, own=_OWN, **_parts(nb), **more)), resources


_exporter: ResultExporter | None = None
_index: AssetIndex = AssetIndex()


def configure(index_path: Path | None) -> None:
    """Sets the environment's asset index; with None or a missing file, pages embed libraries unchanged."""
    global _index  # noqa: PLW0603  (a process exports for one environment)
    _index = AssetIndex.load(index_path) if index_path and index_path.is_file() else AssetIndex()


def library_url(name: str) -> str:
    """Returns the asset address of a display library; "" if this environment has none of that name."""
    return _index.url(name)


def rewrite(html: str) -> str:
    """Returns HTML with library code by reference, as in the whole page."""
    return _index.rewrite(html)


def warm() -> None:
    """Creates the exporter, compiles the template, and imports what outputs need."""
    import latex2mathml.symbols_parser  # noqa: PLC0415

    latex2mathml.symbols_parser.convert_symbol("x")
    code = {"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": []}
    texts = {"text/markdown": "$x$\n\n```python\nx\n```"}
    shown = {"output_type": "display_data", "data": texts, "metadata": {}}
    export_html({"cells": [{**code, "outputs": [shown]}]}, "")


def export_html(notebook: Any, title: str) -> str:
    """Returns the page.

    Args:
        notebook: a NotebookNode or the same as plain dicts; it is not changed.
        title: of the page.
    """
    return _page(notebook, title, is_partial=False)


def export_partial(notebook: Any, title: str) -> str:
    """Returns the page of a running render: the outputs of its cells so far, without the code."""
    return _page(notebook, title, is_partial=True)


def _page(notebook: Any, title: str, *, is_partial: bool) -> str:
    global _exporter  # noqa: PLW0603  (made once)
    if _exporter is None:
        _exporter = ResultExporter()
    html, _ = _exporter.from_notebook_node(notebook, {"page_title": title}, is_partial=is_partial)
    return _index.rewrite(html)


def _parts(notebook: Mapping[str, Any]) -> dict[str, list[str]]:
    cells = [cell for cell in notebook["cells"] if _is_shown(cell)]
    metadata = notebook.get("metadata") or {}
    models = ((metadata.get("widgets") or {}).get(STATE) or {}).get("state") or {}
    warnings: list[str] = []
    outputs = [
        html
        for cell in cells
        for html in outputs_to_html(cell.get("outputs") or (), _index.url, models=models, warnings=warnings)
    ]
    outputs += [warnings_to_html(warnings)] if warnings else []
    shows_code = metadata.get("vizportal_shows_code", True)
    sources = [cell["source"] for cell in cells] if shows_code else []
    return {
        "outputs": outputs,
        "codes": [highlight(text if isinstance(text, str) else "".join(text)) for text in sources],
    }


def _is_shown(cell: Mapping[str, Any]) -> bool:
    return cell["cell_type"] == "code" and _INPUTS_TAG not in (cell.get("metadata") or {}).get("tags", ())
