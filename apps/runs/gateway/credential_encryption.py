"""A person's credential for later: sealed for the queue, opened by the worker that fetches what the person asked for.

Only endpoints that are asked with people's own credentials need it; everywhere else the portal's own, or a header with
the person's name, does.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from apps.runs import exceptions
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.credentials import service_connection
from apps.runs.gateway.endpoints import endpoint


def seal(connection: Connection) -> str:
    """Returns the connection's own credential, readable only with the SECRET_KEY of this installation.

    One of SECRET_KEY_FALLBACKS opens it as well.
    """
    content = {
        "person": connection.person,
        "token": connection.token,
        "cookies": connection.cookies,
        "user_header": connection.user_header,
    }
    return _box().encrypt(json.dumps(content).encode()).decode("ascii")


def unseal(endpoint_key: str, namespace: str, sealed: str, *, max_age_s: int) -> Connection:
    """Returns the connection to an endpoint with a sealed credential.

    Raises:
        NotSignedInError: the seal is too old, or of a SECRET_KEY that is known no longer.
        NotFoundError, EndpointDownError: the endpoint is configured no longer.
    """
    connection = service_connection(endpoint(endpoint_key), namespace=namespace)
    try:
        content = json.loads(_box().decrypt(sealed.encode("ascii"), ttl=max_age_s))
    except (InvalidToken, UnicodeEncodeError) as error:
        raise exceptions.NotSignedInError("Your sign-in for Kubeflow ran out while this waited.") from error
    header = content["user_header"]
    return replace(
        connection,
        person=content["person"],
        token=content["token"],
        cookies=content["cookies"],
        user_header=(header[0], header[1]) if header else None,
    )


def _box() -> MultiFernet:
    # Sealed with the first; opened with any. The derivation never changes: old and new workers share a queue.
    return MultiFernet([_fernet(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(secret_key: str) -> Fernet:
    key = hashlib.sha256(b"vizportal.sealing" + secret_key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
