"""What plugins of Kubeflow made of a run, such as a run of MLflow with its address.

Source of the format: kubeflow/pipelines, backend/api/v2beta1/run.proto, `PluginOutput` and `MetadataValue` (2.17).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from apps.runs.entities import PluginEntry, RunPlugin, State
from apps.runs.gateway.json_reading import mapping, text, whole

_STATES: Final = {
    "PLUGIN_RUNNING": State.RUNNING,
    "PLUGIN_SUCCEEDED": State.SUCCEEDED,
    "PLUGIN_FAILED": State.FAILED,
}
# protobuf's JSON may write an enum by its number.
_URL: Final = frozenset({"URL", 1})
_MOST_CHARS: Final = 500


def plugins(value: Any) -> tuple[RunPlugin, ...]:
    """Returns a run's `plugins_output`, by name; what has another form is left out."""
    return tuple(_plugin(str(name), mapping(output)) for name, output in sorted(mapping(value).items()))


def _plugin(name: str, output: Mapping[str, Any]) -> RunPlugin:
    entries = mapping(output.get("entries"))
    return RunPlugin(
        name=name,
        state=_STATES.get(str(output.get("state", "")), State.UNKNOWN),
        message=text(output.get("state_message")),
        entries=tuple(_entry(str(key), mapping(entry)) for key, entry in sorted(entries.items())),
    )


def _entry(name: str, entry: Mapping[str, Any]) -> PluginEntry:
    value = whole(entry.get("value"))
    shown = value if isinstance(value, str) else json.dumps(value)
    is_link = entry.get("render_type") in _URL and _is_web(shown)
    return PluginEntry(name=name, value=shown[:_MOST_CHARS], url=shown if is_link else "")


def _is_web(address: str) -> bool:
    """Whether an address may become a link: a plugin can write anything there, a script too."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
