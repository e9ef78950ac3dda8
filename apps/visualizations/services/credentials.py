"""A person's own Kubeflow credential on its way to the worker: sealed, in the queue server, for an hour."""

from __future__ import annotations

import logging
from typing import Final

from redis.exceptions import RedisError

from apps.runs.exceptions import NotSignedInError
from apps.runs.gateway import Gateway, gateway_for_service, gateway_unsealed
from apps.visualizations.events import connection_get
from apps.visualizations.models import Render, Visualization

_KEY: Final = "vizportal:credential:"
KEEP_S: Final = 3600
logger = logging.getLogger(__name__)


def credential_keep(render: Render, sealed: str) -> None:
    """Stores a sealed credential for a render's worker; ignores "". Best effort: errors are only logged."""
    if not sealed:
        return
    try:
        connection_get().set(f"{_KEY}{render.id}", sealed, ex=KEEP_S)
    except (RedisError, OSError) as error:
        logger.warning("render %s: the credential for it could not be kept: %s", render.id, error)


def credential_drop(render: Render) -> None:
    """Deletes a render's credential. Best effort: it expires within the hour anyway."""
    try:
        connection_get().delete(f"{_KEY}{render.id}")
    except (RedisError, OSError):
        return


def render_gateway(render: Render) -> Gateway:
    """Returns the gateway that fetches a render's source.

    It uses the user's own credential where the endpoint requires one, otherwise the portal's, and passes the user's
    name where the endpoint identifies its callers.

    Raises:
        NotSignedInError: the endpoint requires the person's own credential, which is missing or expired.
        RunsError: the endpoint is no longer configured.
    """
    visualization: Visualization = render.visualization
    try:
        sealed = connection_get().get(f"{_KEY}{render.id}")
    except (RedisError, OSError):
        sealed = None
    if sealed:
        return gateway_unsealed(
            visualization.endpoint_key, visualization.namespace, sealed.decode("ascii"), max_age_s=KEEP_S
        )
    person = render.requested_by or visualization.owner
    name = str(person.email or person.get_username()) if person else ""
    gateway = gateway_for_service(visualization.endpoint_key, namespace=visualization.namespace, person=name)
    if gateway.is_personal:
        raise NotSignedInError("This Kubeflow needs your own sign-in, which is no longer available. Render again.")
    return gateway
