"""Texts that only this installation can read: encrypted with SECRET_KEY, decrypted with former keys as well."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

# The derivation must never change: processes of two versions share a queue and a database.
_PURPOSE: Final = b"vizportal.sealing"


class SealError(Exception):
    """A sealed text is too old, damaged, or sealed with an unknown key."""


def text_seal(text: str) -> str:
    """Returns the encrypted text, readable only with this installation's SECRET_KEY or a fallback."""
    return _box().encrypt(text.encode()).decode("ascii")


def text_unseal(sealed: str, *, max_age_s: int | None = None) -> str:
    """Decrypts a sealed text.

    Args:
        max_age_s: None for any age.

    Raises:
        SealError: the text cannot be decrypted.
    """
    try:
        return _box().decrypt(sealed.encode("ascii"), ttl=max_age_s).decode()
    except (InvalidToken, UnicodeEncodeError) as error:
        raise SealError("This was encrypted with a key that the portal no longer has, or too long ago.") from error


def seal_key_id() -> str:
    """Returns an id of the current key, which reveals nothing about the key."""
    return hashlib.sha256(b"vizportal.key_id" + _key(settings.SECRET_KEY)).hexdigest()[:16]


def _box() -> MultiFernet:
    return MultiFernet([Fernet(_key(each)) for each in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret_key: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + secret_key.encode()).digest())
