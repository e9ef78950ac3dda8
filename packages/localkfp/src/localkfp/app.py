"""The routes, and the application that serves them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

from mlmd import grpc_web
from mlmd.messages import SERVICE_PATH
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from localkfp import artifacts, experiments_api, lineage, links, logs, pipelines_api, recurring_api, runs_api
from localkfp.calls import Call, Handler, endpoint
from localkfp.errors import ApiError
from localkfp.guard import Guard
from localkfp.places import Places
from localkfp.scheduler import Scheduler
from localkfp.schedules import Schedules
from localkfp.store import Row, Store

_API: Final = "/apis/v2beta1"
# Kubeflow's UI server serves the API with both prefixes.
_PREFIXES: Final = ("", "/pipeline")
_UNSUPPORTED: Final = {
    ("POST", "/pipelines"): "localkfp makes pipelines from files only: send the file to pipelines/upload.",
    ("POST", "/pipelines/create"): "localkfp fetches no pipeline from an address: send its file to pipelines/upload.",
    ("POST", "/pipelines/{id}/versions"): (
        "localkfp fetches no version from an address: send its file to pipelines/upload_version."
    ),
    ("POST", "/visualizations/{namespace}"): "localkfp draws nothing: the portal does.",
    ("POST", "/workflows"): "localkfp runs pipelines itself, and takes no reports of workflows.",
    ("POST", "/scheduledworkflows"): "localkfp runs schedules itself, and takes no reports of them.",
}


def healthz(_call: Call) -> Response:
    """GET healthz: one user, no namespaces. Kubeflow writes this response by hand, so empty fields stay."""
    return JSONResponse({"commit_sha": "", "tag_name": "localkfp", "multi_user": False, "pipeline_store": "database"})


_ROUTES: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/healthz", healthz),
    ("GET", "/experiments", experiments_api.list_experiments),
    ("POST", "/experiments", experiments_api.create_experiment),
    ("POST", "/experiments/{id}:archive", experiments_api.archive_experiment),
    ("POST", "/experiments/{id}:unarchive", experiments_api.unarchive_experiment),
    ("GET", "/experiments/{id}", experiments_api.get_experiment),
    ("DELETE", "/experiments/{id}", experiments_api.delete_experiment),
    ("POST", "/pipelines/upload", pipelines_api.upload_pipeline),
    ("POST", "/pipelines/upload_version", pipelines_api.upload_version),
    ("GET", "/pipelines", pipelines_api.list_pipelines),
    ("GET", "/pipelines/names/{name:path}", pipelines_api.get_pipeline_by_name),
    ("GET", "/pipelines/{id}", pipelines_api.get_pipeline),
    ("PATCH", "/pipelines/{id}", pipelines_api.update_pipeline),
    ("DELETE", "/pipelines/{id}", pipelines_api.delete_pipeline),
    ("GET", "/pipelines/{id}/versions", pipelines_api.list_versions),
    ("GET", "/pipelines/{id}/versions/{version}", pipelines_api.get_version),
    ("PATCH", "/pipelines/{id}/versions/{version}", pipelines_api.update_version),
    ("DELETE", "/pipelines/{id}/versions/{version}", pipelines_api.delete_version),
    ("GET", "/runs", runs_api.list_runs),
    ("POST", "/runs", runs_api.create_run),
    ("POST", "/runs/{id}:archive", runs_api.archive_run),
    ("POST", "/runs/{id}:unarchive", runs_api.unarchive_run),
    ("POST", "/runs/{id}:terminate", runs_api.terminate_run),
    ("POST", "/runs/{id}:retry", runs_api.retry_run),
    ("GET", "/runs/{id}", runs_api.get_run),
    ("DELETE", "/runs/{id}", runs_api.delete_run),
    ("GET", "/recurringruns", recurring_api.list_recurring_runs),
    ("POST", "/recurringruns", recurring_api.create_recurring_run),
    ("POST", "/recurringruns/{id}:enable", recurring_api.enable_recurring_run),
    ("POST", "/recurringruns/{id}:disable", recurring_api.disable_recurring_run),
    ("GET", "/recurringruns/{id}", recurring_api.get_recurring_run),
    ("DELETE", "/recurringruns/{id}", recurring_api.delete_recurring_run),
)


def _refused(sentence: str) -> Handler:
    """Returns the handler for a call that Kubeflow supports and this server does not."""

    def handler(_call: Call) -> Response:
        raise ApiError(501, sentence)

    return handler


def create_app(
    places: Places, store: Store, scheduler: Scheduler, *, token: str = "", portal_url: str = ""
) -> Starlette:
    """Returns the application for a data directory whose store exists.

    Args:
        places: the data directory.
        store: its store.
        scheduler: started and stopped with the application.
        token: required of every request; "" serves loopback names without one.
        portal_url: the target of the links that kfp.Client prints; "" for none.
    """

    def start_run(row: Row, due: float) -> Row:
        run = recurring_api.start_run(store, row, due)
        scheduler.wake()
        return run

    schedules = Schedules(store, start_run)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        scheduler.start()
        schedules.start()
        try:
            yield
        finally:
            schedules.stop()
            scheduler.stop()

    app = Starlette(
        routes=[*_routes(), Route("/", lambda _request: links.page(portal_url.rstrip("/")), methods=["GET"])],
        middleware=[Middleware(Guard, token=token)],
        exception_handlers={HTTPException: _http_error, Exception: _crash},
        lifespan=lifespan,
    )
    app.state.places, app.state.store = places, store
    app.state.scheduler, app.state.schedules = scheduler, schedules
    return app


def _routes() -> Iterator[Route]:
    for prefix in _PREFIXES:
        for method, path, handler in _ROUTES:
            yield Route(f"{prefix}{_API}{path}", endpoint(handler), methods=[method])
        for (method, path), sentence in _UNSUPPORTED.items():
            yield Route(f"{prefix}{_API}{path}", endpoint(_refused(sentence)), methods=[method])
        yield Route(f"{prefix}/artifacts/get", endpoint(artifacts.get_artifact), methods=["GET"])
        yield Route(f"{prefix}/k8s/pod/logs", endpoint(logs.get_log), methods=["GET"])
    yield Route(f"{SERVICE_PATH}{{method}}", endpoint(_lineage), methods=["POST"])


def _lineage(call: Call) -> Response:
    body = lineage.answer(call.store, call.path["method"], call.body)
    return Response(body, media_type=grpc_web.CONTENT_TYPE)


def _http_error(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    # grpc-gateway calls a method that a path does not support "unimplemented".
    status = 501 if status == 405 else status
    text = "Not Found" if status == 404 else str(getattr(error, "detail", error))
    return JSONResponse(ApiError(status, text).body(), status_code=status)


def _crash(_request: Request, _error: Exception) -> Response:
    # Starlette raises it again after responding, and uvicorn logs it with its traceback.
    return JSONResponse(ApiError(500, "Internal error; the server's log says more.").body(), status_code=500)
