"""A person's credential for later: sealed for the queue, opened by the worker that fetches what the person asked for.

Only endpoints that are asked with people's own credentials need it; everywhere else the portal's own, or a header with
the person's name, does.
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
    """Returns the connection's own credential, readable only with the SECRET_KEY of this installation.

    One of SECRET_KEY_FALLBACKS opens it as well.
    """
    content = {
        "person": connection.person,
        "token": connection.token,
        "cookies": connection.cookies,
        "user_header": connection.user_header,
    }
    return text_seal(json.dumps(content))


def unseal(endpoint_key: str, namespace: str, sealed: str, *, max_age_s: int) -> Connection:
    """Returns the connection to an endpoint with a sealed credential.

    Raises:
        NotSignedInError: the seal is too old, or of a SECRET_KEY that is known no longer.
        NotFoundError, EndpointDownError: the endpoint is configured no longer.
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
