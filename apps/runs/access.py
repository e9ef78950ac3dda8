"""Whose namespaces a person may look into: Kubeflow says so, and its answer is remembered for a few minutes.

What the portal keeps of a run outlives the run, so the run itself cannot be asked who may see it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Final

from django.core.cache import cache
from django.http import HttpRequest

from apps.runs.exceptions import EndpointDownError, RunsError
from apps.runs.gateway import endpoints, gateway_for_namespace

logger = logging.getLogger(__name__)
_FRESH_S: Final = 300
_KEPT_S: Final = 24 * 3600
_AT_ONCE: Final = 4
current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)
"""The request that is being answered; None in workers and commands, which act with the portal's own rights."""


def is_divided() -> bool:
    """Whether any endpoint shows different people different things."""
    return any(each.is_multi_user for each in endpoints.endpoints())


def readable(candidates: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Returns those (endpoint key, namespace) pairs that the person who asks may read in Kubeflow; none outside of
    a request.

    While Kubeflow is down, what it said within the last day holds.
    """
    request = current_request.get()
    if request is None or not request.user.is_authenticated:
        return set()
    divided = {each.key for each in endpoints.endpoints() if each.is_multi_user}
    # Of an endpoint that is single-user, or no longer configured, everything that was saved stays everybody's.
    wanted = [(key, namespace) for key, namespace in candidates if key in divided and namespace]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        answers = list(pool.map(lambda pair: _may_read(request, *pair), wanted))
    return {pair for pair, may in zip(wanted, answers, strict=True) if may}


def _may_read(request: HttpRequest, endpoint_key: str, namespace: str) -> bool:
    slot = f"access:{request.user.pk}:{endpoint_key}:{namespace}"
    kept: tuple[bool, float] | None = cache.get(slot)
    if kept is not None and time.time() - kept[1] < _FRESH_S:
        return kept[0]
    try:
        gateway_for_namespace(request, endpoint_key, namespace).runs(page_size=1)
    except EndpointDownError:
        return bool(kept and kept[0])
    except RunsError as error:
        logger.info("%s may not read %s of %s: %s", request.user, namespace, endpoint_key, error)
        may = False
    else:
        may = True
    cache.set(slot, (may, time.time()), _KEPT_S)
    return may
