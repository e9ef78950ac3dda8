"""The reports of Kubeflow plugins about a run, such as a run of MLflow with its address.

Source of the format: kubeflow/pipelines, backend/api/v2beta1/run.proto, `PluginOutput` and `MetadataValue` (2.17).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from apps.runs import exceptions
from apps.runs.entities import PluginEntry, RunPlugin, State
from apps.runs.gateway import connection as http
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.json_reading import mapping, text, whole

_STATES: Final = {
    "PLUGIN_RUNNING": State.RUNNING,
    "PLUGIN_SUCCEEDED": State.SUCCEEDED,
    "PLUGIN_FAILED": State.FAILED,
}
# protobuf's JSON may write an enum as its number.
_URL: Final = frozenset({"URL", 1})
_MOST_CHARS: Final = 500
_VERSION: Final = re.compile(r"v?(\d{1,4})\.(\d{1,4})")
_FIRST_VERSION: Final = (2, 17)
known_servers: dict[str, bool] = {}


def plugins(value: Any) -> tuple[RunPlugin, ...]:
    """Parses a run's `plugins_output`, sorted by name; omits malformed parts."""
    return tuple(_plugin(str(name), mapping(output)) for name, output in sorted(mapping(value).items()))


def knows_plugins(connection: Connection) -> bool:
    """Whether a server accepts settings for plugins with a new run, according to its version, which is requested once.

    A server that does not know the field rejects the whole run. If the version cannot be read, the server counts as
    old.
    """
    host = connection.endpoint.host
    if host not in known_servers:
        try:
            answer = json.loads(http.read_json_text(connection, "/apis/v2beta1/healthz", {}))
        except (exceptions.NotFoundError, ValueError):
            answer = None
        except exceptions.RunsError:
            return False
        # The API server's own field, and the one that the UI server in front of it returns.
        named = mapping(answer).get("tag_name") or mapping(answer).get("apiServerTagName")
        tag = _VERSION.match(text(named))
        known_servers[host] = tag is not None and (int(tag[1]), int(tag[2])) >= _FIRST_VERSION
    return known_servers[host]


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
    """Whether an address may become a link: a plugin can write anything, including a script."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
