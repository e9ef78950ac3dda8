"""The only code that calls Kubeflow. Start here: `gateway_for(caller)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from apps.accounts.rights import Right
from apps.runs.exceptions import NotSignedInError
from apps.runs.gateway import credential_encryption, credentials, endpoints
from apps.runs.gateway.endpoints import DEFAULT_KEY
from apps.runs.gateway.gateway import Gateway
from apps.runs.gateway.objects import ArtifactStream, Entry, Listing, Part, StoreReader, store_reader
from apps.runs.gateway.objects.address import ObjectAddress, parse_address
from apps.runs.gateway.silence import silences

if TYPE_CHECKING:
    # Importing it needs a database; graphs and specs are drawn without one.
    from apps.accounts.caller import Caller

# Sent by the buttons *Retry* and *Try again*: the request must reach Kubeflow even if it is known not to answer.
RETRY_HEADER: Final = "X-Vizportal-Retry"
__all__ = [
    "DEFAULT_KEY",
    "RETRY_HEADER",
    "ArtifactStream",
    "Entry",
    "Gateway",
    "Listing",
    "ObjectAddress",
    "Part",
    "StoreReader",
    "endpoint_ask_again",
    "gateway_for",
    "gateway_for_absent",
    "gateway_for_namespace",
    "gateway_for_service",
    "gateway_unsealed",
    "parse_address",
    "store_reader",
]


def gateway_for(caller: Caller, endpoint_key: str = "", *, timeout_s: float | None = None) -> Gateway:
    """Returns the gateway with the permissions of the person who makes the request.

    Args:
        caller: a person with the permission to view; the gateway acts with this person's permissions in Kubeflow.
        endpoint_key: "" for the endpoint of the request.
        timeout_s: maximum time to wait for an answer, for data that the page can do without; None for the endpoint's
            own.

    Raises:
        PermissionDenied: the caller may not view anything.
        NotFoundError: no endpoint with that key is configured.
        EndpointDownError: no endpoint is configured at all.
        NotSignedInError: the endpoint requires the person's own credential, and the request carries none.
    """
    # The caller's namespace belongs to that endpoint; a call that names another endpoint starts without it.
    asked = caller.request.GET.get("namespace", "") if caller.request is not None else ""
    chosen = asked if endpoint_key else caller.namespace
    gateway = gateway_for_namespace(caller, endpoint_key or caller.endpoint_key, chosen)
    return gateway if timeout_s is None else gateway.hurried(timeout_s)


def endpoint_ask_again(caller: Caller) -> None:
    """Lets the next request to the caller's endpoint through, even if the endpoint is known not to answer.

    Raises:
        PermissionDenied: the caller may not view anything.
        NotFoundError, EndpointDownError: as `gateway_for`.
    """
    caller.require(Right.VIEW)
    silences.forget(endpoints.endpoint(caller.endpoint_key).host)


def gateway_for_namespace(caller: Caller, endpoint_key: str, namespace: str) -> Gateway:
    """Returns the gateway with the permissions of the person who makes the request, for one namespace of one endpoint.

    Raises:
        NotFoundError, EndpointDownError, NotSignedInError: as `gateway_for`; also for a namespace that is not offered.
    """
    caller.require(Right.VIEW)
    config = endpoints.endpoint(endpoint_key)
    if caller.request is not None and RETRY_HEADER in caller.request.headers:
        silences.forget(config.host)
    return Gateway(credentials.person_connection(config, caller, config.namespace(namespace)))


def gateway_for_absent(caller: Caller, endpoint_key: str, namespace: str) -> Gateway:
    """Returns the gateway on behalf of a person who makes no request, such as the owner of a rule.

    Raises:
        PermissionDenied: the person may not view anything.
        NotSignedInError: the endpoint requires people's own credentials, which the portal does not store.
        NotFoundError, EndpointDownError: as `gateway_for_namespace`.
    """
    caller.require(Right.VIEW)
    config = endpoints.endpoint(endpoint_key)
    if config.auth.is_personal:
        raise NotSignedInError(
            f"{config.title or config.key} is asked with people's own sign-in, so the portal cannot ask it for "
            "somebody who is not there."
        )
    name = str(getattr(caller.user, "email", "") or caller.username)
    connection = credentials.service_connection(config, namespace=config.namespace(namespace), person=name)
    return Gateway(connection)


def gateway_unsealed(endpoint_key: str, namespace: str, sealed: str, *, max_age_s: int) -> Gateway:
    """Returns the gateway for a credential that `Gateway.sealed_credential` returned earlier.

    Raises:
        NotSignedInError: the credential is too old.
        NotFoundError, EndpointDownError: as `gateway_for`.
    """
    return Gateway(credential_encryption.unseal(endpoint_key, namespace, sealed, max_age_s=max_age_s))


def gateway_for_service(endpoint_key: str = "", *, namespace: str = "", person: str = "") -> Gateway:
    """Returns the gateway with the portal's own permissions, for background work.

    Args:
        endpoint_key: "" for the default endpoint.
        namespace: "" for the endpoint's first.
        person: the email or user name of the person it is done for, if the endpoint gets it in a header; "" for nobody.

    Raises:
        NotFoundError, EndpointDownError: as `gateway_for`.
    """
    return Gateway(credentials.service_connection(endpoints.endpoint(endpoint_key), namespace=namespace, person=person))
