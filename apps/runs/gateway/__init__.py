"""The only code that speaks to Kubeflow. Start here: `gateway_for(request)`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from apps.runs import exceptions
from apps.runs.entities import Endpoint
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.gateway import Gateway
from apps.runs.gateway.objects import ArtifactStream

DEFAULT_KEY: Final = "default"

__all__ = ["DEFAULT_KEY", "ArtifactStream", "Gateway", "gateway_for", "gateway_for_service"]


def gateway_for(request: HttpRequest, endpoint_key: str = "", *, timeout_s: float | None = None) -> Gateway:
    """Returns the gateway with the rights of the person who asks.

    Args:
        request: of a signed-in person; where KFP_USERID_HEADER is set, Kubeflow is told their email (or user name).
        endpoint_key: "" for the endpoint the request is about.
        timeout_s: waits at most this long for an answer, where the person has better things to look at meanwhile;
            None for the endpoint's own.

    Raises:
        NotFoundError: no endpoint of that key is configured.
        EndpointDownError: none is configured at all.
    """
    user = request.user
    name = str(getattr(user, "email", "") or user.get_username())
    header = (settings.KFP_USERID_HEADER, name) if settings.KFP_USERID_HEADER else None
    connection = _connection(endpoint_key, person=f"{user.pk}:{name}", user_header=header)
    return Gateway(
        connection if timeout_s is None else replace(connection, timeout_s=min(timeout_s, connection.timeout_s))
    )


def gateway_for_service(endpoint_key: str = "") -> Gateway:
    """Returns the gateway with the portal's own rights, for work nobody waits for.

    Raises:
        NotFoundError, EndpointDownError: as `gateway_for`.
    """
    return Gateway(_connection(endpoint_key, person="", user_header=None))


def _connection(endpoint_key: str, *, person: str, user_header: tuple[str, str] | None) -> Connection:
    if endpoint_key not in {"", DEFAULT_KEY}:
        raise exceptions.NotFoundError(f"No Kubeflow endpoint named {endpoint_key!r} is configured here.")
    if not settings.KFP_HOST:
        raise exceptions.EndpointDownError(
            "No Kubeflow is configured: set KFP_HOST, or start the portal with `manage.py up`, which brings its own."
        )
    return Connection(
        endpoint=Endpoint(key=DEFAULT_KEY, host=settings.KFP_HOST, namespace=settings.KFP_NAMESPACE),
        person=person,
        token=settings.KFP_EXISTING_TOKEN,
        cookies=settings.KFP_COOKIES,
        user_header=user_header,
        timeout_s=settings.KFP_TIMEOUT,
    )
