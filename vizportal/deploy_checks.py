"""Checks of `manage.py check --deploy` for an installation that others can reach. docs/security.md lists their ids."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Notice

from vizportal.up.checks import CannotStartError, is_loopback, parse_bind

_MIN_TOKEN_LENGTH: Final = 24
# A network larger than this cannot be a proxy's.
_MAX_TRUSTED: Final = 2**24


def _is_public(bind: str) -> bool:
    """Whether others can reach an address (host:port); true for one that cannot be parsed."""
    try:
        return bool(bind) and not is_loopback(parse_bind(bind)[0])
    except CannotStartError:
        return True


def sign_in_check(**_kwargs: Any) -> list[CheckMessage]:
    """Checks how users sign in, and over which transport."""
    is_open = _is_public(settings.VIZPORTAL_BIND)
    found: list[CheckMessage] = []
    if settings.VIZPORTAL_AUTH == "local" and is_open:
        message = f"VIZPORTAL_AUTH=local makes everybody who reaches {settings.VIZPORTAL_BIND} the administrator."
        found.append(Error(message, hint="Set VIZPORTAL_AUTH=password, oidc or header.", id="vizportal.E001"))
    if settings.VIZPORTAL_AUTH in {"password", "oidc"} and is_open and not settings.SESSION_COOKIE_SECURE:
        message = "People sign in over plain HTTP: passwords and sessions can be read on the way."
        hint = "Put a proxy with TLS in front, and set VIZPORTAL_HTTPS=true."
        found.append(Notice(message, hint=hint, id="vizportal.W001"))
    if settings.VIZPORTAL_AUTH == "header":
        found += _header_check()
    if "*" in settings.ALLOWED_HOSTS:
        message = "VIZPORTAL_ALLOWED_HOSTS=* answers to any host name, which allows DNS rebinding."
        found.append(Notice(message, hint="Name the hosts people use.", id="vizportal.W002"))
    return found


def _header_check() -> Iterator[CheckMessage]:
    for each in settings.VIZPORTAL_TRUSTED_PROXIES:
        network = ipaddress.ip_network(each, strict=False)
        size = network.num_addresses if network.version == 4 else 2 ** (network.max_prefixlen - network.prefixlen) >> 64
        if size > _MAX_TRUSTED:
            message = f"VIZPORTAL_TRUSTED_PROXIES={each}: anyone with one of these addresses can act as anybody."
            yield Error(message, hint="Name the gateway's own addresses.", id="vizportal.E002")


def transport_check(**_kwargs: Any) -> list[CheckMessage]:
    """Checks the connections to the database and to the queue's server."""
    return [*_database_check(settings.DATABASES["default"]), *_queue_check(settings.REDIS_URL)]


def _database_check(database: dict[str, Any]) -> Iterator[CheckMessage]:
    host = str(database.get("HOST") or "")
    if not host or host.startswith("/") or is_loopback(host):
        return
    if database.get("OPTIONS", {}).get("sslmode") != "verify-full":
        message = f"The connection to the database on {host} can be read or answered by somebody in between."
        hint = "Add ?sslmode=verify-full&sslrootcert=/path/ca.crt to DATABASE_URL (docs/security.md)."
        yield Notice(message, hint=hint, id="vizportal.W003")


def _queue_check(url: str) -> Iterator[CheckMessage]:
    parts = urlsplit(url)
    if parts.scheme == "unix" or is_loopback(parts.hostname or ""):
        return
    options = parse_qs(parts.query)
    is_unverified = options.get("ssl_cert_reqs", ["required"]) != ["required"]
    is_unnamed = options.get("ssl_check_hostname", ["true"])[0].lower() in {"false", "0", "no", "n", "f"}
    if parts.scheme != "rediss" or is_unverified or is_unnamed:
        message = f"The connection to the queue on {parts.hostname} can be read or answered by somebody in between."
        hint = "Set REDIS_URL to rediss://...?ssl_ca_certs=/path/ca.crt (docs/security.md)."
        yield Notice(message, hint=hint, id="vizportal.W004")
    if not parts.password and "password" not in options:
        message = (
            f"The queue on {parts.hostname} asks for no password: anyone who reaches it can order and cancel renders."
        )
        yield Notice(message, hint="Give it one, and set REDIS_URL_FILE.", id="vizportal.W005")


def rendering_check(**_kwargs: Any) -> list[CheckMessage]:
    """Checks what users' code may access, and who may submit it."""
    found: list[CheckMessage] = []
    # Approved types run even if custom code is off, so this setting alone decides.
    if settings.VIZPORTAL_CUSTOM_WITHOUT_SANDBOX:
        message = (
            "VIZPORTAL_CUSTOM_WITHOUT_SANDBOX: on a worker without a sandbox, people's code can do everything that the "
            "worker can."
        )
        found.append(Notice(message, hint="Workers with Landlock (Linux 5.13) do not need it.", id="vizportal.W006"))
    bind, token = settings.VIZPORTAL_KFP_SERVICE_BIND, settings.VIZPORTAL_KFP_SERVICE_TOKEN
    if _is_public(bind) and not token:
        message = f"Anyone who reaches VIZPORTAL_KFP_SERVICE_BIND={bind} can render there without signing in."
        hint = "Let only Kubeflow's API server reach it (a network policy), or set VIZPORTAL_KFP_SERVICE_TOKEN."
        found.append(Notice(message, hint=hint, id="vizportal.W007"))
    return found


def tokens_check(**_kwargs: Any) -> list[CheckMessage]:
    """Checks that configured tokens are long enough."""
    found: list[CheckMessage] = []
    for name in ("VIZPORTAL_KFP_SERVICE_TOKEN", "VIZPORTAL_METRICS_TOKEN"):
        token = getattr(settings, name, "")
        if token and len(token) < _MIN_TOKEN_LENGTH:
            message = f"{name} is short enough to be guessed: nothing slows down guessing."
            hint = f"Take {_MIN_TOKEN_LENGTH} random characters or more, such as from `openssl rand -hex 32`."
            found.append(Notice(message, hint=hint, id="vizportal.W008"))
    return found


def sharing_check(**_kwargs: Any) -> list[CheckMessage]:
    """Checks who may open shared results and reports."""
    if not settings.VIZPORTAL_SHARE_ANONYMOUS:
        return []
    message = "VIZPORTAL_SHARE_ANONYMOUS: anyone with a shared link can open its result or report without an account."
    hint = "If only people of this portal are meant, set it to false. `/shares/` lists the links; each can be revoked."
    return [Notice(message, hint=hint, id="vizportal.W009")]


CHECKS: Final = (sign_in_check, transport_check, rendering_check, tokens_check, sharing_check)
