"""What every part of the gateway stands on: the client, and the reading of an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from apps.runs import exceptions
from apps.runs.entities import Endpoint, Page
from apps.runs.gateway.connection import Connection

LARGEST_PAGE: Final = 200


class Calls:
    """The client of one connection. Every method of its children raises a RunsError, never a foreign
    exception.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint this gateway speaks to."""
        return self._connection.endpoint

    @property
    def _client(self) -> Any:
        from apps.runs.gateway.client import client_for  # noqa: PLC0415  # kfp takes seconds to import

        return client_for(self._connection)

    def _namespace(self) -> dict[str, str]:
        return {"namespace": self.endpoint.namespace} if self.endpoint.namespace else {}

    @contextmanager
    def _answer(self) -> Iterator[None]:
        """Reads an answer: what the generated models cannot digest is an error of the endpoint's."""
        try:
            yield
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise exceptions.EndpointError(
                f"Kubeflow at {self.endpoint.host} answered with something that is not its API: {error}"
            ) from error


def page_of(answer: Any, models: Any, convert_one: Any) -> Page[Any]:
    """Returns a list answer as a page of entities."""
    return Page(
        items=tuple(convert_one(model) for model in models or [] if model is not None),
        next_token=answer.next_page_token or "",
        total=answer.total_size,
    )
