"""The configured Kubeflow endpoints, read from the settings, each with its credential, time-outs and namespaces."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.runs import exceptions

DEFAULT_KEY: Final = "default"
ANY_NAMESPACE: Final = "*"
# Where Kubernetes puts a pod's own token. The first path is the one documented for clients of Kubeflow Pipelines.
_SERVICE_ACCOUNT_FILES: Final = (
    "/var/run/secrets/kubeflow/pipelines/token",
    "/var/run/secrets/kubernetes.io/serviceaccount/token",
)
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,49}\Z")
# A valid Kubernetes name: RFC 1123, section 2.1, as a label.
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_METADATA_SCHEMES: Final = frozenset({"grpc", "grpcs"})


class Auth(enum.StrEnum):
    """How requests to an endpoint are authenticated. The `PERSON_` kinds carry the signed-in user's own credential."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105  (the word, not a secret)
    COOKIES = "cookies"
    SERVICE_ACCOUNT = "service-account"
    PERSON_TOKEN = "person-token"  # noqa: S105
    PERSON_COOKIE = "person-cookie"
    PERSON_HEADER = "person-header"

    @property
    def is_personal(self) -> bool:
        """Whether only a signed-in person has this credential."""
        return self.value.startswith("person-")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """The configuration of one endpoint.

    Attributes:
        namespaces: those offered; the first is the default. `("*",)`: people type one.
        token_file: reread when it changes, for tokens that are rotated.
        token_header: the request header that carries the person's token (`person-token`); "" for the token of the
            sign-in (VIZPORTAL_AUTH=oidc).
        person_cookies: names of the cookies to forward (`person-cookie`).
        user_header: header that names the person to Kubeflow. With `person-header` it is forwarded as set by the proxy
            in front of the portal, otherwise it is made from the person's email or user name.
        user_prefix: precedes the name in it, such as `accounts.google.com:`.
        ca_file: certificates trusted for this host; "" for the system's.
        metadata: `grpc://host:port` or `grpcs://host:port` of the lineage store; "" for gRPC-Web at `host`.
    """

    key: str
    host: str
    title: str = ""
    namespaces: tuple[str, ...] = ()
    auth: Auth = Auth.NONE
    token: str = field(default="", repr=False)
    token_file: str = ""
    cookies: str = field(default="", repr=False)
    token_header: str = ""
    person_cookies: tuple[str, ...] = ()
    user_header: str = ""
    user_prefix: str = ""
    ca_file: str = ""
    timeout_s: float = 3
    metadata: str = ""

    @property
    def is_multi_user(self) -> bool:
        """Whether a namespace determines what a person may see."""
        return bool(self.namespaces)

    def namespace(self, wanted: str = "") -> str:
        """Returns the namespace to request.

        Raises:
            NotFoundError: the wanted namespace is not offered here.
        """
        if not wanted:
            first = self.namespaces[0] if self.namespaces else ""
            return "" if first == ANY_NAMESPACE else first
        if wanted in self.namespaces or (ANY_NAMESPACE in self.namespaces and _NAMESPACE.match(wanted)):
            return wanted
        raise exceptions.NotFoundError(f"The endpoint {self.title or self.key} offers no namespace {wanted!r}.")


def endpoints() -> tuple[EndpointConfig, ...]:
    """Returns every endpoint, the default first; empty if no Kubeflow is configured.

    Raises:
        ImproperlyConfigured: a setting is wrong; says which.
    """
    if settings.VIZPORTAL_ENDPOINTS:
        return _parsed(settings.VIZPORTAL_ENDPOINTS)
    return (_single(),) if settings.KFP_HOST else ()


def endpoint(key: str = "") -> EndpointConfig:
    """Returns one endpoint; the default for "".

    Raises:
        NotFoundError: no endpoint with that key is configured.
        EndpointDownError: no endpoint is configured at all.
    """
    known = endpoints()
    if not known:
        raise exceptions.EndpointDownError(
            "No Kubeflow is configured: set KFP_HOST, or start the portal with `manage.py up`, which brings its own."
        )
    found = next((each for each in known if key in {"", each.key}), None)
    if found is None:
        raise exceptions.NotFoundError(f"No Kubeflow endpoint named {key!r} is configured here.")
    return found


def _single() -> EndpointConfig:
    token, cookies = settings.KFP_EXISTING_TOKEN, settings.KFP_COOKIES
    auth = settings.KFP_AUTH or (Auth.TOKEN if token else Auth.COOKIES if cookies else Auth.NONE)
    return _read(
        {
            "key": DEFAULT_KEY,
            "host": settings.KFP_HOST,
            "namespaces": [part.strip() for part in settings.KFP_NAMESPACE.split(",") if part.strip()],
            "auth": str(auth),
            "token": token,
            "cookies": cookies,
            "user_header": settings.KFP_USERID_HEADER,
            "ca_file": settings.KFP_CA_FILE,
            "timeout_s": settings.KFP_TIMEOUT,
            "metadata": settings.KFP_METADATA,
        },
        "KFP_*",
    )


@lru_cache(maxsize=8)
def _parsed(text: str) -> tuple[EndpointConfig, ...]:
    name = "VIZPORTAL_ENDPOINTS"
    try:
        listed = json.loads(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not JSON: {error}.") from error
    if not isinstance(listed, list) or not listed or not all(isinstance(item, dict) for item in listed):
        raise ImproperlyConfigured(f'{name} must be a list of objects, such as [{{"key": "prod", "host": "..."}}].')
    found = tuple(_read(item, f"{name}, number {number}") for number, item in enumerate(listed, 1))
    if len({each.key for each in found}) < len(found):
        raise ImproperlyConfigured(f"{name}: two endpoints have the same key.")
    return found


def _read(item: Mapping[str, Any], place: str) -> EndpointConfig:
    known = set(EndpointConfig.__dataclass_fields__)
    unknown = sorted(set(item) - known)
    if unknown:
        raise ImproperlyConfigured(f"{place}: unknown {unknown[0]!r}; known are {', '.join(sorted(known))}.")
    values = {name: _typed(name, value, place) for name, value in item.items()}
    for name in ("key", "host"):
        if not values.get(name):
            raise ImproperlyConfigured(f"{place}: {name!r} is missing.")
    config = EndpointConfig(**values)
    _check(config, place)
    return config


def _typed(name: str, value: Any, place: str) -> Any:
    if name in {"namespaces", "person_cookies"}:
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            raise ImproperlyConfigured(f"{place}: {name!r} must be a list of names.")
        return tuple(value)
    if name == "timeout_s":
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise ImproperlyConfigured(f"{place}: 'timeout_s' must be a number of seconds above 0.")
        return float(value)
    if not isinstance(value, str):
        raise ImproperlyConfigured(f"{place}: {name!r} must be text.")
    if name == "auth":
        try:
            return Auth(value)
        except ValueError as error:
            raise ImproperlyConfigured(f"{place}: 'auth' must be one of {', '.join(Auth)}.") from error
    if name in {"ca_file", "token_file"} and value and not Path(value).is_file():
        raise ImproperlyConfigured(f"{place}: there is no file {value} ({name}).")
    return value.rstrip("/") if name == "host" else value


def _check(config: EndpointConfig, place: str) -> None:
    if not _KEY.match(config.key):
        raise ImproperlyConfigured(f"{place}: the key {config.key!r} must be lower-case letters, digits and dashes.")
    if urlsplit(config.host).scheme not in {"http", "https"}:
        raise ImproperlyConfigured(f"{place}: the host must begin with http:// or https://, not {config.host!r}.")
    if config.metadata and urlsplit(config.metadata).scheme not in _METADATA_SCHEMES:
        raise ImproperlyConfigured(f"{place}: 'metadata' must look like grpc://host:8080, not {config.metadata!r}.")
    missing = {
        Auth.TOKEN: "" if config.token or config.token_file else "token_file",
        Auth.COOKIES: "" if config.cookies else "cookies",
        Auth.PERSON_COOKIE: "" if config.person_cookies else "person_cookies",
        Auth.PERSON_HEADER: "" if config.user_header else "user_header",
    }.get(config.auth)
    if missing:
        raise ImproperlyConfigured(f"{place}: auth {config.auth} needs {missing!r}.")


def service_account_file(config: EndpointConfig) -> str:
    """Returns the path of a pod's own token; the usual path unless the configuration names one."""
    if config.token_file:
        return config.token_file
    return next((path for path in _SERVICE_ACCOUNT_FILES if Path(path).is_file()), _SERVICE_ACCOUNT_FILES[-1])
