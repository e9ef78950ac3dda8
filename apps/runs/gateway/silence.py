"""Remembers which endpoints did not answer in time, so that only one page waits for them.

The memory is per process. `docs/gateway.md` says how long it lasts and what ends it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from apps.runs import exceptions

REMEMBERED_S: Final = 15.0
# A refused connection is known at once and delays nobody. A longer wait counts as silence even without a time-out.
_LONG_WAIT_S: Final = 1.0
_API: Final = "api"
_is_asked_anyway: ContextVar[bool] = ContextVar("is_asked_anyway", default=False)
Key = tuple[str, str]


@contextmanager
def asked_anyway() -> Iterator[None]:
    """Context manager: lets requests in the block through to an endpoint that is known to be silent."""
    token = _is_asked_anyway.set(True)
    try:
        yield
    finally:
        _is_asked_anyway.reset(token)


@dataclass(slots=True)
class Silences:
    """The endpoints that do not answer, by host and kind of request: REST may answer while lineage does not."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _silent: dict[Key, tuple[str, float]] = field(default_factory=dict)
    _answered_at: dict[Key, float] = field(default_factory=dict)

    def forget(self, host: str) -> None:
        """Lets the next request to a host through."""
        with self._lock:
            for key in [key for key in self._silent if key[0] == host]:
                del self._silent[key]

    @contextmanager
    def observed(self, host: str, call: str) -> Iterator[None]:
        """Context manager around one request: refuses to start it if the host is known to be silent.

        Failures of streams do not count: one large object may be slow while everything else answers.

        Raises:
            EndpointDownError: the host did not answer recently; repeats the words of that error.
        """
        self._refuse(host, call)
        began = time.monotonic()
        try:
            yield
        except exceptions.EndpointDownError as error:
            is_silent = isinstance(error, exceptions.EndpointSilentError)
            if call != "stream" and (is_silent or time.monotonic() - began >= _LONG_WAIT_S):
                self._note_silence((host, call), str(error), began)
            else:
                self._note_answer((host, call))
            raise
        except exceptions.RunsError:
            self._note_answer((host, call))
            raise
        else:
            self._note_answer((host, call))

    def _refuse(self, host: str, call: str) -> None:
        if _is_asked_anyway.get():
            return
        now = time.monotonic()
        with self._lock:
            for key in ((host, _API), (host, call)):
                words, until = self._silent.get(key, ("", 0.0))
                if now < until:
                    raise exceptions.EndpointDownError(words)
            if (host, call) in self._silent:
                # One request tests whether the host answers again; the others do not wait for its result.
                self._silent[host, call] = (self._silent[host, call][0], now + REMEMBERED_S)

    def _note_silence(self, key: Key, words: str, began: float) -> None:
        with self._lock:
            # One slow request does not make Kubeflow silent if others were answered while it waited.
            if self._answered_at.get(key, 0.0) < began:
                self._silent[key] = (words, time.monotonic() + REMEMBERED_S)

    def _note_answer(self, key: Key) -> None:
        with self._lock:
            self._answered_at[key] = time.monotonic()
            self._silent.pop(key, None)


silences = Silences()
