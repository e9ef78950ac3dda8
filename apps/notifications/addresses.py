"""Addresses of messages: which ones are allowed, how they are displayed, and how they are stored."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.accounts.sealing import SealError, seal_key_id, text_seal, text_unseal
from apps.notifications.models import AlertTarget, TargetKind

_MOST_CHARS: Final = 2000
# Key id of targets that no known key can decrypt.
_LOST: Final = "lost"
# Excludes spaces, control characters, backslashes and non-ASCII letters, on which URL parsers disagree.
_PLAIN: Final = re.compile(r"[!-\[\]-~]+", re.ASCII)


class AddressRefusedError(Exception):
    """Messages may not be sent to this address; the exception's text is a sentence for users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The destination of a message.

    Attributes:
        secret: key for signing messages to a webhook; "" for other kinds.
    """

    kind: TargetKind
    address: str = field(repr=False)
    secret: str = field(default="", repr=False)


def web_address(text: str) -> SplitResult:
    """Parses the address of a webhook.

    Raises:
        AddressRefusedError: it is not http or https, or has user info, a fragment or unusual characters.
    """
    text = text.strip()
    if len(text) > _MOST_CHARS or not _PLAIN.fullmatch(text):
        raise AddressRefusedError("A web address has at most 2000 characters, all ASCII; encode others as %XX.")
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressRefusedError("This is not a web address.") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise AddressRefusedError("The address must begin with https:// or http:// and a host.")
    if "@" in parts.netloc or parts.fragment:
        raise AddressRefusedError("The address may contain neither a user name nor a fragment (#).")
    return parts


def is_allowed_inside(parts: SplitResult) -> bool:
    """Whether an administrator allowed this address even if it is inside the portal's network."""
    for prefix in settings.VIZPORTAL_NOTIFY_ALLOW:
        allowed = urlsplit(prefix if "://" in prefix else f"https://{prefix}")
        is_same_host = (allowed.scheme, allowed.hostname, _port(allowed)) == (
            parts.scheme,
            parts.hostname,
            _port(parts),
        )
        folder = allowed.path.rstrip("/")
        # Paths with "..", "%2e" or "//" are never allowed, because servers interpret them differently.
        is_below = parts.path == folder or parts.path.startswith(f"{folder}/")
        if is_same_host and is_below and not _climbs(parts.path):
            return True
    return False


def _climbs(path: str) -> bool:
    return ".." in path or "%2e" in path.lower() or "//" in path


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def email_address(text: str, *, own: str, is_free: bool) -> str:
    """Validates an e-mail address.

    Args:
        own: the account's own address, which is always allowed.
        is_free: allow any address, for administrators.

    Raises:
        AddressRefusedError: it is not an address, its domain is not allowed, or no mail server is configured.
    """
    if not email_is_set_up():
        raise AddressRefusedError("E-mail is not set up on this portal (VIZPORTAL_EMAIL_HOST).")
    address = text.strip()
    try:
        validate_email(address)
    except ValidationError as error:
        raise AddressRefusedError("This is not an e-mail address.") from error
    domain = address.rpartition("@")[2].lower()
    allowed = {each.lower().lstrip("@") for each in settings.VIZPORTAL_EMAIL_DOMAINS}
    if not is_free and address.lower() != own.lower() and domain not in allowed:
        raise AddressRefusedError(
            "E-mail goes only to your account's address, or to a domain in VIZPORTAL_EMAIL_DOMAINS."
        )
    return address


def email_is_set_up() -> bool:
    """Whether the portal can send e-mail."""
    return bool(settings.EMAIL_HOST)


def secret_make() -> str:
    """Returns a new signing secret."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def target_of(address: Address) -> AlertTarget:
    """Returns an unsaved target for an address."""
    sealed = text_seal(json.dumps({"address": address.address, "secret": address.secret}))
    return AlertTarget(kind=address.kind, shown=_shown(address), sealed=sealed, key_id=seal_key_id())


def _shown(address: Address) -> str:
    if address.kind is TargetKind.EMAIL:
        return address.address[:300]
    parts = urlsplit(address.address)
    return f"{parts.scheme}://{parts.netloc}/..."[:300]


def address_of(target: AlertTarget) -> Address:
    """Returns the address of a target.

    Raises:
        SealError: the address cannot be decrypted.
    """
    content: dict[str, Any] = json.loads(text_unseal(target.sealed))
    return Address(kind=TargetKind(target.kind), address=content["address"], secret=content["secret"])


def targets_reseal(most: int) -> int:
    """Encrypts with the current key what a former key encrypted; returns how many, at most `most`."""
    done = 0
    for target in AlertTarget.objects.exclude(key_id__in=[seal_key_id(), _LOST]).order_by("id")[:most]:
        same = AlertTarget.objects.filter(id=target.id, key_id=target.key_id)
        try:
            fresh = target_of(address_of(target))
        except SealError:
            same.update(key_id=_LOST)
        else:
            done += same.update(sealed=fresh.sealed, key_id=fresh.key_id)
    return done
