"""The credential of a connection: the portal's own, or that of the signed-in person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import HttpRequest

from apps.runs import exceptions
from apps.runs.entities import Endpoint
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.endpoints import Auth, EndpointConfig, service_account_file

if TYPE_CHECKING:
    from apps.accounts.caller import Caller

SESSION_TOKEN: Final = "oidc_access_token"  # noqa: S105  (a key of the session, where the sign-in leaves it)
_BEARER: Final = "bearer "


def person_connection(config: EndpointConfig, caller: Caller, namespace: str) -> Connection:
    """Returns the connection with the permissions of the person who makes the request.

    Raises:
        NotSignedInError: the endpoint requires the person's own credential, and the request carries none; or the caller
            is not a person.
    """
    request = caller.request
    if not caller.is_person or request is None:
        raise exceptions.NotSignedInError(
            f"{config.title or config.key} answers only requests on behalf of a person. Sign in."
        )
    name = str(getattr(caller.user, "email", "") or caller.username)
    token, cookies = _own_credential(config, request)
    return Connection(
        endpoint=_endpoint(config, namespace),
        person=f"{caller.user_id}:{name}",
        token=token,
        token_file=_token_file(config),
        cookies=cookies,
        user_header=_user_header(config, request, name),
        ca_file=config.ca_file,
        metadata_address=config.metadata,
        timeout_s=config.timeout_s,
    )


def service_connection(config: EndpointConfig, *, namespace: str = "", person: str = "") -> Connection:
    """Returns the connection with the portal's own permissions, for background work.

    Args:
        config: the endpoint.
        namespace: "" for the endpoint's first.
        person: the email or user name of the person it is done for, if the endpoint gets it in a header; "" for nobody.
    """
    header = (config.user_header, config.user_prefix + person) if config.user_header and person else None
    return Connection(
        endpoint=_endpoint(config, namespace or config.namespace()),
        person=f":{person}" if header else "",
        token=config.token if config.auth is Auth.TOKEN else "",
        token_file=_token_file(config),
        cookies=config.cookies if config.auth is Auth.COOKIES else "",
        user_header=header,
        ca_file=config.ca_file,
        metadata_address=config.metadata,
        timeout_s=config.timeout_s,
    )


def _endpoint(config: EndpointConfig, namespace: str) -> Endpoint:
    return Endpoint(
        key=config.key,
        host=config.host,
        namespace=namespace,
        title=config.title or config.key,
        namespaces=config.namespaces,
    )


def _own_credential(config: EndpointConfig, request: HttpRequest) -> tuple[str, str]:
    """Returns (token, cookies) to send."""
    if config.auth is Auth.PERSON_TOKEN:
        return _person_token(config, request), ""
    if config.auth is Auth.PERSON_COOKIE:
        return "", _person_cookies(config, request)
    return (
        config.token if config.auth is Auth.TOKEN else "",
        config.cookies if config.auth is Auth.COOKIES else "",
    )


def _token_file(config: EndpointConfig) -> str:
    if config.auth is Auth.SERVICE_ACCOUNT:
        return service_account_file(config)
    return config.token_file if config.auth is Auth.TOKEN and not config.token else ""


def _person_token(config: EndpointConfig, request: HttpRequest) -> str:
    if config.token_header:
        token = request.headers.get(config.token_header, "")
        token = token[len(_BEARER) :] if token.lower().startswith(_BEARER) else token
    else:
        session = getattr(request, "session", None)
        token = str(session.get(SESSION_TOKEN, "")) if session is not None else ""
    if not token:
        raise exceptions.NotSignedInError(
            f"{config.title or config.key} needs your own token, and this sign-in has none. Sign in again."
        )
    return token


def _person_cookies(config: EndpointConfig, request: HttpRequest) -> str:
    found = {name: request.COOKIES[name] for name in config.person_cookies if name in request.COOKIES}
    if not found:
        raise exceptions.NotSignedInError(
            f"{config.title or config.key} needs your own cookie ({', '.join(config.person_cookies)}), "
            "and your browser sent none. Sign in there first."
        )
    return "; ".join(f"{name}={value}" for name, value in found.items())


def _user_header(config: EndpointConfig, request: HttpRequest, name: str) -> tuple[str, str] | None:
    if not config.user_header:
        return None
    if config.auth is not Auth.PERSON_HEADER:
        return config.user_header, config.user_prefix + name
    # Only the sign-in by trusted header lets this header through; it is removed from all other requests.
    told = str(request.META.get("vizportal.user_header", ""))
    if not told:
        raise exceptions.NotSignedInError(
            f"{config.title or config.key} learns who you are from the gateway in front of this portal, which set no "
            f"{config.user_header} header."
        )
    return config.user_header, told
