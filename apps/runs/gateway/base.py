"""The common base of the gateway's parts: the client, and reading an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, Self

from apps.runs import exceptions
from apps.runs.entities import Endpoint, Page
from apps.runs.gateway import json_reading
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.credential_encryption import seal
from apps.runs.gateway.endpoints import endpoint
from apps.runs.gateway.json_reading import whole_number

LARGEST_PAGE: Final = 200


class Calls:
    """Base class with the client of one connection.

    Methods of its subclasses raise only RunsErrors, never exceptions of other libraries.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that this gateway calls."""
        return self.connection.endpoint

    @property
    def sealed_credential(self) -> str:
        """The person's own credential, encrypted for a worker; "" if the worker can use the portal's own."""
        return seal(self.connection) if self.is_personal else ""

    @property
    def is_personal(self) -> bool:
        """Whether the endpoint is called with people's own credentials."""
        return endpoint(self.endpoint.key).auth.is_personal

    def hurried(self, timeout_s: float) -> Self:
        """Returns a copy of this gateway that waits at most `timeout_s` for an answer."""
        limit = min(timeout_s, self.connection.timeout_s)
        return type(self)(replace(self.connection, timeout_s=limit))

    @property
    def _client(self) -> Any:
        from apps.runs.gateway.client import client_for  # noqa: PLC0415  # kfp takes seconds to import

        return client_for(self.connection)

    def _namespace(self) -> dict[str, str]:
        return {"namespace": self.endpoint.namespace} if self.endpoint.namespace else {}

    @contextmanager
    def _answer(self) -> Iterator[None]:
        """Context manager: reports an answer that the generated models cannot parse as an error of the endpoint."""
        try:
            yield
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise exceptions.EndpointError(
                f"Kubeflow at {self.endpoint.host} answered with something that is not its API: {error}"
            ) from error


def page_of(answer: Any, models: Any, convert_one: Any) -> Page[Any]:
    """Returns a list answer as a page of entities."""
    return Page(
        items=tuple(convert_one(row) for row in json_reading.json_objects(models)),
        next_token=json_reading.text(answer.next_page_token),
        total=whole_number(answer.total_size),
    )
