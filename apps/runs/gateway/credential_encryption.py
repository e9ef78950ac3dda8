"""Encrypts a person's credential for the queue, so that a worker can fetch data on behalf of that person later.

Only endpoints that require people's own credentials need it. For all others the portal's own credential, or a header
with the person's name, is sufficient.
"""

from __future__ import annotations

import json
from dataclasses import replace

from apps.accounts.sealing import SealError, text_seal, text_unseal
from apps.runs import exceptions
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.credentials import service_connection
from apps.runs.gateway.endpoints import endpoint


def seal(connection: Connection) -> str:
    """Returns the connection's own credential, encrypted with the SECRET_KEY of this installation.

    Keys in SECRET_KEY_FALLBACKS can decrypt it as well.
    """
    content = {
        "person": connection.person,
        "token": connection.token,
        "cookies": connection.cookies,
        "user_header": connection.user_header,
    }
    return text_seal(json.dumps(content))


def unseal(endpoint_key: str, namespace: str, sealed: str, *, max_age_s: int) -> Connection:
    """Returns the connection to an endpoint with an encrypted credential.

    Raises:
        NotSignedInError: the credential is too old, or its SECRET_KEY is no longer known.
        NotFoundError, EndpointDownError: the endpoint is no longer configured.
    """
    connection = service_connection(endpoint(endpoint_key), namespace=namespace)
    try:
        content = json.loads(text_unseal(sealed, max_age_s=max_age_s))
    except SealError as error:
        raise exceptions.NotSignedInError("Your sign-in for Kubeflow expired while this waited.") from error
    header = content["user_header"]
    return replace(
        connection,
        person=content["person"],
        token=content["token"],
        cookies=content["cookies"],
        user_header=(header[0], header[1]) if header else None,
    )
