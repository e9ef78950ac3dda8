"""Sends one message to one address: by e-mail, as a signed webhook request, or to a Slack webhook."""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import SplitResult

import urllib3
from django.conf import settings
from django.core.mail import EmailMessage

from apps.notifications.addresses import Address, AddressRefusedError, email_is_set_up, is_allowed_inside, web_address
from apps.notifications.models import TargetKind
from apps.runs.exceptions import ForbiddenError, RunsError
from apps.runs.gateway.host_addresses import host_address

_CONNECT_S: Final = 3.0
_READ_S: Final = 5.0
# Only the response's status matters; a little of its body is read, to end the exchange properly.
_MOST_ANSWER_BYTES: Final = 1024
# Statuses that ask to retry later (RFC 9110, 6585, 8470).
_LATER: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of an attempt.

    Attributes:
        error: one sentence; "" on success.
        is_final: whether another attempt would be pointless.
        status_code: of the response; None for no response.
    """

    error: str = ""
    is_final: bool = True
    status_code: int | None = None


def message_send(address: Address, delivery_id: str, message: dict[str, Any], now: datetime) -> Outcome:
    """Makes one attempt to send a message.

    Args:
        delivery_id: the same at each attempt.
        message: see `messages.py`.
    """
    if address.kind is TargetKind.EMAIL:
        return _email_send(address, delivery_id, message)
    headers = {"X-Vizportal-Delivery": delivery_id}
    if address.kind is TargetKind.SLACK:
        return _post(address.address, json.dumps({"text": message["slack"]}).encode(), headers)
    content = {name: value for name, value in message.items() if name not in {"slack", "lines"}}
    body = json.dumps(content | {"id": delivery_id}, ensure_ascii=False).encode()
    timestamp = str(int(now.timestamp()))
    headers |= {
        "X-Vizportal-Timestamp": timestamp,
        "X-Vizportal-Signature": f"sha256={signature(address.secret, timestamp, body)}",
    }
    return _post(address.address, body, headers)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Returns the hexadecimal HMAC-SHA256 of the timestamp, a full stop and the body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _email_send(address: Address, delivery_id: str, message: dict[str, Any]) -> Outcome:
    if not email_is_set_up():
        return Outcome(error="E-mail is not set up on this portal (VIZPORTAL_EMAIL_HOST).", is_final=False)
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip("> ") or "localhost"
    # The same Message-ID at each attempt, so that mail software shows a repetition only once.
    headers = {"Message-ID": f"<{delivery_id}@{domain}>", "Auto-Submitted": "auto-generated"}
    mail = EmailMessage(message["title"], "\n".join(message["lines"]), to=[address.address], headers=headers)
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = {int(code) for code, _text in error.recipients.values()}
        return Outcome(error="The mail server refuses this address.", is_final=min(codes, default=500) >= 500)
    except smtplib.SMTPResponseException as error:
        text = f"The mail server answered {error.smtp_code}."
        return Outcome(error=text, is_final=False, status_code=error.smtp_code if error.smtp_code > 0 else None)
    except (smtplib.SMTPException, OSError) as error:
        return Outcome(error=f"The mail server does not answer ({type(error).__name__}).", is_final=False)
    return Outcome()


def address_check(url: str) -> str:
    """Returns the IP address of a web address's host, resolved anew at each attempt.

    Raises:
        AddressRefusedError: not a web address, an unknown host, or an internal address that no setting allows.
    """
    try:
        return _resolved(web_address(url))
    except ForbiddenError as error:
        raise AddressRefusedError(f"{error} An administrator can allow it with VIZPORTAL_NOTIFY_ALLOW.") from error
    except RunsError as error:
        raise AddressRefusedError(str(error)) from error


def _resolved(parts: SplitResult) -> str:
    return host_address(parts.hostname or "", allow_private=is_allowed_inside(parts))


def _post(url: str, body: bytes, headers: dict[str, str]) -> Outcome:
    try:
        parts = web_address(url)
        # Connect to the checked IP address, so that a changed DNS answer cannot redirect the request.
        checked = _resolved(parts)
    except (AddressRefusedError, ForbiddenError) as error:
        return Outcome(error=str(error))
    except RunsError as error:
        return Outcome(error=str(error), is_final=False)
    host = parts.hostname or ""
    limits = urllib3.Timeout(connect=_CONNECT_S, read=_READ_S)
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            checked,
            parts.port or 443,
            timeout=limits,
            retries=False,
            cert_reqs="CERT_REQUIRED",
            server_hostname=host,
            assert_hostname=host,
        )
    else:
        pool = urllib3.HTTPConnectionPool(checked, parts.port or 80, timeout=limits, retries=False)
    sent = {"Host": parts.netloc, "User-Agent": "vizportal", "Content-Type": "application/json", **headers}
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with pool:
        return _ask(pool, path, body, sent)


def _ask(pool: urllib3.HTTPConnectionPool, path: str, body: bytes, headers: dict[str, str]) -> Outcome:
    try:
        answer = pool.request("POST", path, body=body, headers=headers, preload_content=False, redirect=False)
        try:
            answer.read(_MOST_ANSWER_BYTES)
        finally:
            answer.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        # urllib3 derives the error for refused connections from its time-out error.
        is_late = isinstance(error, urllib3.exceptions.TimeoutError)
        if is_late and not isinstance(error, urllib3.exceptions.NewConnectionError):
            return Outcome(error=f"There was no answer within {_READ_S:g} s.", is_final=False)
        return Outcome(error=f"The connection failed ({type(error).__name__}).", is_final=False)
    status = answer.status
    if 200 <= status <= 299:
        return Outcome(status_code=status)
    if 300 <= status <= 399:
        text = f"It answered {status}, a redirect, which is not followed. Use the final address."
        return Outcome(error=text, status_code=status)
    return Outcome(error=f"It answered {status}.", is_final=status < 500 and status not in _LATER, status_code=status)
