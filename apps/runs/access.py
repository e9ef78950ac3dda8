"""Which namespaces a person may read: Kubeflow decides, and its answer is cached for a few minutes.

Records that the portal keeps about a run outlive the run, so Kubeflow cannot be asked about the run itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final

from django.core.cache import cache

from apps.accounts.caller import Caller, CallerKind
from apps.accounts.rights import Right
from apps.runs.exceptions import EndpointDownError, NotSignedInError, RunsError
from apps.runs.gateway import endpoints, gateway_for_absent, gateway_for_namespace

logger = logging.getLogger(__name__)
FRESH_S: Final = 300
_KEPT_S: Final = 24 * 3600
# How long a page waits for a new answer if it has an old one.
PATIENCE_S: Final = 0.5
Pair = tuple[str, str]
_AT_ONCE: Final = 4


def is_divided() -> bool:
    """Whether any endpoint shows different data to different people."""
    return any(each.is_multi_user for each in endpoints.endpoints())


def readable(caller: Caller, candidates: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Returns those (endpoint key, namespace) pairs that a person may read in Kubeflow.

    Empty for callers that are not a person, and for those on whose behalf Kubeflow cannot be asked.

    While Kubeflow is down or slow, answers of the last day remain valid. The call waits for Kubeflow only for pairs
    without an earlier answer.
    """
    # Checked here, because the answer is stored with the account and the threads below must not need the database.
    is_askable = caller.request is not None or caller.kind is CallerKind.RULE
    if not caller.is_person or not caller.may(Right.VIEW) or not is_askable:
        return set()
    divided = {each.key for each in endpoints.endpoints() if each.is_multi_user}
    # Saved records of an endpoint that is single-user or no longer configured are visible to everybody.
    wanted = [(key, namespace) for key, namespace in candidates if key in divided and namespace]
    kept = {pair: cache.get(_slot(caller, *pair)) for pair in wanted}
    may = {pair: bool(answer and answer[0]) for pair, answer in kept.items()}
    old = [pair for pair, answer in kept.items() if answer is None or time.time() - answer[1] >= FRESH_S]
    may |= _ask(caller, old, None if any(kept[pair] is None for pair in old) else PATIENCE_S)
    return {pair for pair in wanted if may[pair]}


def _ask(caller: Caller, pairs: list[Pair], patience_s: float | None) -> dict[Pair, bool]:
    """Returns Kubeflow's answers that arrived in time; later ones are cached for the next call."""
    pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="access")
    asked = {pool.submit(_may_read, caller, *pair): pair for pair in pairs}
    done = wait(asked, timeout=patience_s).done
    pool.shutdown(wait=False, cancel_futures=True)
    return {asked[each]: each.result() for each in done}


def may_read(caller: Caller, endpoint_key: str, namespace: str) -> bool:
    """Whether a caller may read the records of a namespace. Records without a namespace are visible to everybody."""
    if caller.sees_everything or not namespace:
        return True
    config = next((each for each in endpoints.endpoints() if each.key == (endpoint_key or each.key)), None)
    if config is None or not config.is_multi_user:
        return True
    return (config.key, namespace) in readable(caller, [(config.key, namespace)])


def _slot(caller: Caller, endpoint_key: str, namespace: str) -> str:
    return f"access:{caller.user_id}:{endpoint_key}:{namespace}"


def _may_read(caller: Caller, endpoint_key: str, namespace: str) -> bool:
    slot = _slot(caller, endpoint_key, namespace)
    kept: tuple[bool, float] | None = cache.get(slot)
    try:
        is_there = caller.kind is not CallerKind.RULE
        gateway = (gateway_for_namespace if is_there else gateway_for_absent)(caller, endpoint_key, namespace)
        gateway.runs(page_size=1)
    except (EndpointDownError, NotSignedInError):
        # Neither says anything about the permission: a script's token carries no credential of its owner.
        return bool(kept and kept[0])
    except RunsError as error:
        logger.info("%s may not read %s of %s: %s", caller.user, namespace, endpoint_key, error)
        may = False
    else:
        may = True
    cache.set(slot, (may, time.time()), _KEPT_S)
    return may
