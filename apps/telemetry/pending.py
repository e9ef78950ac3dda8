"""Calls that may hang, such as those to a server that is down: callers wait only for a limited time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from django.db import connections

T = TypeVar("T")


class PendingCall(Generic[T]):
    """A function with at most one call running at a time, in a thread that does not delay the process's exit.

    A hanging call occupies a single thread, however often its result is requested.

    Args:
        function: called in a thread with its own database connections.
    """

    def __init__(self, name: str, function: Callable[[], T]) -> None:
        self._name, self._function = name, function
        self._lock = threading.Lock()
        self._result: Future[T] | None = None

    def start(self) -> Future[T]:
        """Returns the result of the running call, starting one if none runs."""
        with self._lock:
            if self._result is None or self._result.done():
                self._result = Future()
                threading.Thread(target=self._run, args=[self._result], name=self._name, daemon=True).start()
            return self._result

    def _run(self, result: Future[T]) -> None:
        try:
            result.set_result(self._function())
        except Exception as error:  # noqa: BLE001  (the edge of a thread: waiting callers get it)
            result.set_exception(error)
        finally:
            connections.close_all()
