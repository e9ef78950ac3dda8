"""The kfp client, made safe for a server: time-outs, no retries, no file in HOME, the portal's own errors.

Import this module late: kfp takes seconds to import.
"""

from __future__ import annotations

import functools
import json
import warnings
from types import SimpleNamespace
from typing import Any

import kfp
import kfp_server_api
from kfp_server_api import rest

from apps.runs.gateway import errors, json_reading
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.request_metrics import watched

# The client reads and writes this file process-wide, so one person's namespace would become everybody's.
kfp.Client._LOCAL_KFP_CONTEXT = ""  # noqa: SLF001


class _TimedRest(rest.RESTClientObject):  # type: ignore[misc]
    """The generated API's transport with a time-out on every call, which kfp.Client lacks."""

    def __init__(self, configuration: Any, connection: Connection) -> None:
        super().__init__(configuration)
        self._connection = connection

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Sends one request.

        Raises:
            RunsError: no answer, an error status, or a web page instead of JSON.
        """
        host, timeout_s = self._connection.endpoint.host, self._connection.timeout_s
        options["_request_timeout"] = self._connection.timeouts
        # Read for each request: a token in a file is rotated while the client lives.
        own = self._connection.headers()
        taken = {name.lower() for name in own}
        kept = {name: value for name, value in (options.get("headers") or {}).items() if name.lower() not in taken}
        options["headers"] = {**kept, **own}
        with watched(self._connection.endpoint, "api"):
            try:
                with errors.network_errors(host, timeout_s):
                    answer = super().request(method, url, **options)
            except kfp_server_api.ApiException as error:
                raise errors.from_status(host, error.status or 0, error.body or str(error.reason)) from error
            if errors.looks_like_html(answer.data):
                raise errors.login_page(host)
        return answer


class _ServerClient(kfp.Client):  # type: ignore[misc]
    """A kfp.Client whose constructor does no I/O.

    Without a namespace the original calls healthz up to five times.
    """

    def get_kfp_healthz(self, sleep_duration: int = 5) -> Any:  # noqa: ARG002
        return SimpleNamespace(multi_user=False)


def _deserialize(response: Any, response_type: Any) -> Any:
    """Replaces the generated client's method, which builds its models field by field (see json_reading.py)."""
    return json_reading.json_object_of(json.loads(response.data)) if response_type else None


@functools.lru_cache(maxsize=256)
def client_for(connection: Connection) -> Any:
    """Returns the kfp client of a connection; created once and shared by threads (its transport is thread-safe)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        client = _ServerClient(
            host=connection.endpoint.host,
            namespace=connection.endpoint.namespace,
            existing_token=connection.token or None,
            ssl_ca_cert=connection.ca_file or None,
        )
    api_client = client._run_api.api_client  # noqa: SLF001  # all of its APIs share this one
    api_client.configuration.retries = False
    api_client.rest_client = _TimedRest(api_client.configuration, connection)
    api_client.deserialize = _deserialize
    return client
