"""`/healthz` and `/readyz`: whether the process is alive, and the state of every part of the portal."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import django_rq
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from apps.accounts.caller import caller_of
from apps.accounts.rights import Right
from apps.runs.exceptions import NotSignedInError, RunsError
from apps.runs.gateway import gateway_for_service
from apps.runs.gateway.endpoints import EndpointConfig, endpoints
from apps.telemetry.pending import PendingCall
from apps.telemetry.views import has_token
from apps.visualizations import job_queue
from apps.visualizations.environments import environments
from apps.visualizations.services.hosts import hosts_read, pauses_read
from apps.visualizations.turns import pauses_by_environment

_KEEP_KUBEFLOW_S = 10.0
RESULTS_WAIT_S = 3.0
logger = logging.getLogger(__name__)


@login_not_required
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answers 200 as long as the process works."""
    return HttpResponse("alive\n", content_type="text/plain; charset=utf-8")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answers with the state of each part; with 503 only if the database or the queue is down.

    `status` is "degraded" if any part is down: saved results still open without Kubeflow or workers. Machines, messages
    and versions are shown only to administrators, and to clients with the token of `/metrics`.
    """
    database, queue = _check(_database), _check(_queue)
    results = _results()
    workers = _workers() if queue["ok"] else {"count": 0}
    answers = kubeflow_check.read()
    kubeflow = _default_endpoint(answers)
    is_ready = database["ok"] and queue["ok"]
    paused = _paused_queues(has_database=database["ok"])
    is_whole = (
        is_ready
        and results["ok"]
        and workers["count"] > 0
        and not workers.get("paused")
        and not paused
        and all(each["ok"] for each in answers or [kubeflow])
    )
    answer = {
        "status": "ok" if is_whole else "degraded",
        "database": database,
        "queue": queue | {"paused": paused},
        "results": results,
        "workers": workers,
        "kubeflow": kubeflow,
        "endpoints": answers,
        "sandbox": _sandbox(),
        "custom_visualizations": settings.ALLOW_CUSTOM_VISUALIZATIONS,
        "environments": _environments(),
    }
    shown = answer if _may_see_details(request, has_database=database["ok"]) else _outline(answer)
    response = JsonResponse(shown, status=200 if is_ready else 503)
    response["Cache-Control"] = "no-store"
    return response


def _may_see_details(request: HttpRequest, *, has_database: bool) -> bool:
    """Whether the client is the only user of this machine, an administrator, or the monitoring system.

    Args:
        request: the request.
        has_database: whether the database answers, which is needed to find out who is signed in.
    """
    if settings.VIZPORTAL_AUTH == "local" or has_token(request):
        return True
    try:
        return has_database and caller_of(request).may(Right.ADMINISTER)
    except DatabaseError:
        return False


def _outline(answer: dict[str, Any]) -> dict[str, Any]:
    """Returns the public parts of an answer: which parts work, the address for kfp.Client, the sandbox mode."""
    kubeflow, sandbox, queue = answer["kubeflow"], answer["sandbox"], answer["queue"]
    return {
        "status": answer["status"],
        **{part: {"ok": answer[part]["ok"]} for part in ("database", "results")},
        "queue": {"ok": queue["ok"], "paused": [each["environment"] or "all" for each in queue["paused"]]},
        "workers": {"count": answer["workers"]["count"], "paused": len(answer["workers"].get("paused", ()))},
        "kubeflow": {name: kubeflow[name] for name in ("ok", "host", "embedded")},
        "sandbox": {name: sandbox[name] for name in ("mode", "termination")},
    }


def _check(part: Callable[[], None]) -> dict[str, Any]:
    try:
        part()
    except (DatabaseError, RedisError, OSError) as error:
        # The cause is only logged: it may name hosts and accounts, and everybody may read this page.
        logger.warning("readyz: %s: %s", part.__name__.strip("_"), error)
        return {"ok": False, "message": f"does not answer ({type(error).__name__})"}
    return {"ok": True, "message": ""}


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _queue() -> None:
    django_rq.get_connection("render-base").ping()


def _workers() -> dict[str, Any]:
    keys = {name: _worker_keys(name) for name in settings.RQ_QUEUES}
    # A worker that serves several queues counts once.
    return {
        "count": len(frozenset().union(*keys.values())),
        "queues": {name: len(each) for name, each in keys.items()},
        # Why workers accept no renders at the moment: a full disk, a missing work directory.
        "paused": _pauses(),
    }


def _paused_queues(*, has_database: bool) -> list[dict[str, str]]:
    """Returns the queues that administrators paused, with their reasons; the environment "" means all queues."""
    if not has_database:
        return []
    try:
        return [{"environment": key, "reason": reason} for key, reason in pauses_by_environment().items()]
    except DatabaseError:
        return []


def _pauses() -> list[str]:
    try:
        return pauses_read()
    except (RedisError, OSError):
        return []


def _worker_keys(queue_name: str) -> frozenset[str]:
    try:
        return job_queue.worker_keys(queue_name.removeprefix("render-"))
    except (RedisError, OSError):
        return frozenset()


@dataclass(slots=True)
class KubeflowCheck:
    """Checks Kubeflow at most every few seconds: probes are frequent, and a check of a down endpoint is slow."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _answers: list[dict[str, Any]] = field(default_factory=list)
    _asked: tuple[EndpointConfig, ...] | None = None
    _until: float = 0.0

    def read(self) -> list[dict[str, Any]]:
        """Returns the latest answer of each endpoint; checks again if it is old or the configuration has changed."""
        configured = endpoints()
        with self._lock:
            if self._asked != configured or time.monotonic() > self._until:
                with ThreadPoolExecutor(max_workers=max(1, len(configured))) as pool:
                    self._answers = list(pool.map(_ask_kubeflow, configured))
                self._asked = configured
                self._until = time.monotonic() + _KEEP_KUBEFLOW_S
            return self._answers


kubeflow_check = KubeflowCheck()


def _results() -> dict[str, Any]:
    try:
        return _results_check.start().result(RESULTS_WAIT_S)
    except TimeoutError:
        return {"ok": False, "message": "does not answer in time"}


def _results_ask() -> None:
    # Whether the file exists does not matter, only that the store answers.
    default_storage.exists("renders/probe")


# A silent store times out after half a minute, but a probe waits only a few seconds.
_results_check = PendingCall("results", lambda: _check(_results_ask))


def _ask_kubeflow(config: EndpointConfig) -> dict[str, Any]:
    facts = {"key": config.key, "host": config.host}
    try:
        gateway_for_service(config.key).health()
    except NotSignedInError as error:
        # If users have credentials of their own, the portal has none: an endpoint that asks for one is alive.
        return facts | {"ok": config.auth.is_personal, "message": "" if config.auth.is_personal else str(error)}
    except RunsError as error:
        return facts | {"ok": False, "message": str(error)}
    return facts | {"ok": True, "message": ""}


def _default_endpoint(answers: list[dict[str, Any]]) -> dict[str, Any]:
    first = answers[0] if answers else {"host": "", "ok": False, "message": "No Kubeflow is configured: set KFP_HOST."}
    return {name: value for name, value in first.items() if name != "key"} | {"embedded": settings.KFP_IS_EMBEDDED}


def _sandbox() -> dict[str, Any]:
    """Returns how renders are confined, as reported by live hosts; `gaps` is what a render could access on any.

    `mode` is "unknown" until a worker has started a host.
    """
    try:
        hosts = hosts_read()
    except (RedisError, OSError):
        hosts = []
    modes = {host["mode"] for host in hosts}
    terminations = sorted({host.get("termination", "unknown") for host in hosts})
    shown = ("environment", "machine", "mode", "abi", "gaps", "termination", "limits", "renders", "start_s", "missing")
    return {
        "wanted": settings.VIZPORTAL_SANDBOX,
        "mode": "none" if "none" in modes else min(modes, default="unknown"),
        "gaps": sorted({gap for host in hosts for gap in host["gaps"]}),
        # How the processes of a render are ended, one word for each method in use; "none" means no guarantee.
        "termination": terminations,
        "hosts": [{name: host.get(name) for name in shown} for host in hosts],
    }


def _environments() -> list[dict[str, Any]]:
    found = environments().get_all()
    return [
        {"key": each.key, "is_built": each.is_built, "is_current": each.is_current, "lock": each.lock_digest}
        for each in found
    ]
