"""Vega-Lite specifications as figures of a result's page: with a title, a drawing, its data as a table, and a menu.

The page contains the specification with its data once, in `script.vizkit-spec`, for the script that draws it, for the
static picture, and for programs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from . import html

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
# The colours of the light theme, as in static/vizkit.css; the page's script replaces them by the current theme's.
PALETTE: Final = ("#2457c5", "#a6500b", "#0b7a5b", "#9b3589", "#6b6200", "#b3261e", "#3d6f8f", "#565f6b")
TEXT: Final = "#1b2028"
MUTED: Final = "#565f6c"
LINE: Final = "#d9dee5"
SUNKEN: Final = "#f0f2f5"
_TABLE_ROWS: Final = 60
# The page's libraries, in loading order.
_LIBRARIES: Final = ("vega-runtime", "shared", "figure-points", "figure-export", "figure-threshold")
# Scripts that a component needs before its own script if that draws figures itself.
SCRIPTS: Final = (*_LIBRARIES, "figure")

Spec = dict[str, Any]


def config() -> Spec:
    """Returns the Vega configuration of all figures, in the light theme."""
    return {
        "background": "white",
        "font": "system-ui, Segoe UI, Roboto, sans-serif",
        "title": {"anchor": "start", "color": TEXT, "subtitleColor": MUTED, "fontSize": 14, "offset": 10},
        "axis": {
            "labelColor": MUTED,
            "titleColor": MUTED,
            "titleFontWeight": "normal",
            "domainColor": MUTED,
            "tickColor": MUTED,
            "gridColor": LINE,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "labelOverlap": "greedy",
            "labelSeparation": 6,
        },
        "axisX": {"tickCount": {"expr": "ceil(width / 75)"}},
        "legend": {
            "orient": "bottom",
            "columns": 3,
            "labelLimit": 300,
            "labelColor": TEXT,
            "labelFontSize": 12,
            "rowPadding": 6,
        },
        "text": {"color": TEXT, "fontSize": 12},
        "view": {"stroke": None},
        "range": {"category": list(PALETTE)},
    }


def literal(value: Any) -> str:
    """Returns a value as a literal of a Vega expression."""
    return json.dumps(value, ensure_ascii=True)


def draw(specs: Sequence[Spec], *, notes: Sequence[str] = ()) -> str:
    """Returns figures next to each other, in one component.

    Args:
        specs: Vega-Lite that contains its data; `usermeta.vizkit.fields` names the columns of its first data.
        notes: what a person has to know about them.
    """
    said = "".join(f'<p class="vk-muted">{html.text(each)}</p>' for each in notes)
    inner = f'<div class="vk-figures">{"".join(figure(each) for each in specs)}</div>{said}'
    return component(inner)


def library_urls() -> list[str]:
    """Returns the URLs of everything that a page with figures refers to."""
    styles = [html.asset_url(f"{name}.css") for name in ("vizkit", "figure")]
    return [*styles, *(html.asset_url(f"{name}.js") for name in SCRIPTS)]


def component(inner: str) -> str:
    """Returns markup with figures as a component that draws them.

    Args:
        inner: already escaped.
    """
    return html.component("figure", None, inner=inner, before=_LIBRARIES)


def figure(spec: Mapping[str, Any]) -> str:
    """Returns the markup of one figure, which `draw` or the type's own page puts into a component."""
    title = spec.get("title")
    said = title.get("subtitle") or [] if isinstance(title, Mapping) else []
    title = title.get("text") if isinstance(title, Mapping) else title
    title = " ".join(map(str, title)) if isinstance(title, list) else title if isinstance(title, str) else ""
    words = str(spec.get("description") or title or "Chart")
    own = spec.get("usermeta", {}).get("vizkit", {})
    shape = " vk-square" if own.get("is_square") else ""
    # A specification from elsewhere draws its title itself.
    caption = f"<figcaption>{html.text(title)}</figcaption>" if title and own else ""
    caption += "".join(f'<p class="vk-muted vk-said">{html.text(each)}</p>' for each in said) if own else ""
    return (
        f'<figure class="vk-figure{shape}">'
        f"{caption}"
        f'<div class="vk-plot" role="img" aria-label="{html.text(words)}"></div>'
        f'<script type="application/json" class="vizkit-spec">{html.json_text(spec)}</script>'
        f"{_table(spec, title or 'Values')}</figure>"
    )


def picture(spec: Mapping[str, Any] | None) -> str:
    """Returns a specification that no script draws, only the page's static picture; "" for None."""
    held = "" if spec is None else html.json_text({"first": spec})
    return f'<script type="application/json" class="vizkit-specs">{held}</script>' if held else ""


def _table(spec: Mapping[str, Any], title: str) -> str:
    """Returns the values as a table of at most 60 rows; "" for a specification that names no fields."""
    fields = spec.get("usermeta", {}).get("vizkit", {}).get("fields")
    if not fields:
        return ""
    rows = spec["data"]["values"]
    step = max(1, math.ceil(len(rows) / _TABLE_ROWS))
    kept = [[_cell(row.get(each["field"]), each["kind"]) for each in fields] for row in rows[::step]]
    caption = f"{title}: {f'{len(kept):,} of {len(rows):,}' if step > 1 else f'{len(rows):,}'} rows"
    table = html.table([each["title"] for each in fields], kept, caption=caption)
    return f'<details class="vk-data"><summary>Values as a table</summary>{table}</details>'


def _cell(value: Any, kind: str) -> Any:
    if value is None:
        return "∞" if kind == "threshold" else ""
    return html.share(value) if kind == "percent" else float(value) if isinstance(value, int) else value
