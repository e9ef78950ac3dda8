"""Vega and Vega-Lite specifications: checks them, and embeds their data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from . import embedding

_VIEWS: Final = ("mark", "layer", "concat", "hconcat", "vconcat", "facet", "repeat", "spec")
_MAX_DEPTH: Final = 60


def read_spec(path: Path, root: Path) -> tuple[dict[str, Any], list[str]]:
    """Returns a self-contained specification, and notes for people.

    Raises:
        ValueError: it is not a specification, or its data is elsewhere; the text is for people.
    """
    if path.stat().st_size > embedding.MAX_TEXT_BYTES:
        raise ValueError("The specification is larger than 20 MB. Reduce its data.")
    try:
        spec = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name} is not JSON: {error}") from None
    if not isinstance(spec, dict):
        raise ValueError(f"{path.name} is not a JSON object, as a Vega-Lite specification is.")  # noqa: TRY004
    # Other tools' metadata is irrelevant to the drawing.
    spec.pop("usermeta", None)
    is_vega = "/vega/" in str(spec.get("$schema", ""))
    if not is_vega and not any(name in spec for name in _VIEWS):
        raise ValueError(f"{path.name} is not a Vega-Lite specification: it has none of {', '.join(_VIEWS)}.")
    shown = _inlined(spec, path.parent, root, 0)
    return shown, [] if is_vega else _check(shown)


def _inlined(value: Any, place: Path, root: Path, depth: int, *, is_data: bool = False) -> Any:
    """Returns the specification with the data files that it names embedded."""
    if depth > _MAX_DEPTH:
        raise ValueError("The specification is nested too deeply.")
    if isinstance(value, list):
        return [_inlined(each, place, root, depth + 1, is_data=is_data) for each in value]
    if not isinstance(value, dict):
        return value
    if is_data and "url" in value:
        return _data(value, place, root)
    return {
        # Rows are not specifications; "data" belongs to a view, or to a look-up.
        name: each if name == "values" and is_data else _inlined(each, place, root, depth + 1, is_data=name == "data")
        for name, each in value.items()
    }


def _data(value: dict[str, Any], place: Path, root: Path) -> dict[str, Any]:
    url = value["url"]
    found = embedding.find_beside(url, place, root) if isinstance(url, str) else None
    if found is None:
        raise ValueError(
            f"The specification loads its data from {str(url)[:200]}, but a result has no network access. "
            "Put the data into the specification (data.values), or use the folder with both files as the source."
        )
    if found.stat().st_size > embedding.MAX_TEXT_BYTES:
        raise ValueError(f"The data in {found.name} is larger than 20 MB.")
    text = found.read_text(encoding="utf-8-sig", errors="replace")
    form = dict(value.get("format") or {})
    kind = str(form.get("type") or found.suffix[1:].lower() or "json")
    if kind in {"csv", "tsv", "dsv"}:
        return {**_without_url(value), "values": text, "format": {**form, "type": kind}}
    try:
        rows = (
            [json.loads(line) for line in text.splitlines() if line.strip()]
            if kind in {"jsonl", "ndjson"}
            else json.loads(text)
        )
    except ValueError as error:
        raise ValueError(f"The data in {found.name} is not JSON: {error}") from None
    form["type"] = "json" if kind in {"jsonl", "ndjson"} else kind
    return {**_without_url(value), "values": rows, "format": form}


def _without_url(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in value.items() if name != "url"}


def _check(spec: dict[str, Any]) -> list[str]:
    """Returns the violations of Vega-Lite's schema; the specification may be drawable nevertheless."""
    try:
        import altair as alt
        import jsonschema
    except ImportError:
        return []
    try:
        alt.vegalite.schema.core.Root.validate(spec)
    except jsonschema.ValidationError as error:
        place = ".".join(str(part) for part in error.absolute_path) or "the whole"
        return [
            f"This does not follow the schema of Vega-Lite {alt.SCHEMA_VERSION[1:]}, at {place}: {error.message[:300]}"
        ]
    return []
