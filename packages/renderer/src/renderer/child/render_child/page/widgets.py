"""Widgets in their state at the end of the render, without the kernel that would animate them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any, Final

STATE: Final = "application/vnd.jupyter.widget-state+json"
_MAX_DEPTH: Final = 12
_HTML: Final = frozenset({"HTMLModel", "HTMLMathModel"})

Outputs = Callable[[Iterable[Mapping[str, Any]]], Iterable[str]]


def widget_to_html(model_id: str, models: Mapping[str, Any], draw_outputs: Outputs) -> str:
    """Returns what a widget shows; "" if its state was not saved or contains nothing to show.

    Args:
        model_id: of the widget.
        models: the notebook's widget state, by model id.
        draw_outputs: draws the outputs that an `Output` widget captured.
    """
    return _draw(model_id, models, draw_outputs, 0)


def _draw(model_id: str, models: Mapping[str, Any], draw_outputs: Outputs, depth: int) -> str:
    model = models.get(model_id)
    if depth > _MAX_DEPTH or not isinstance(model, Mapping):
        return ""
    state, name = model.get("state") or {}, str(model.get("model_name"))
    if name == "OutputModel":
        return "".join(draw_outputs(state.get("outputs") or ()))
    if state.get("children"):
        ids = [str(each).removeprefix("IPY_MODEL_") for each in state["children"]]
        shown = "".join(_draw(each, models, draw_outputs, depth + 1) for each in ids)
        return f'<div class="widgets">{shown}</div>' if shown else ""
    value = state.get("value")
    if name in _HTML:
        return f"<div>{value}</div>" if value else ""
    if name.startswith(("Button", "ToggleButton")) or value is None or isinstance(value, Mapping):
        return ""
    label = str(state.get("description") or "")
    return f'<div class="quiet">{escape(f"{label}: {value}" if label else str(value))}</div>'
