"""/apis/v2beta1/pipelines: pipelines, their versions, and uploads of both."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Final

import anyio.from_thread
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import JSONResponse, Response

from localkfp import filters, shapes, specs
from localkfp.calls import Call, text_of
from localkfp.errors import ApiError, bad_request, not_found
from localkfp.store import Row, Store, new_id, now

_LONGEST_NAME: Final = 128
_MOST_TAGS: Final = 20
_LONGEST_TAG: Final = 63
_COLUMNS: Final = {
    "id": "id",
    "name": "name",
    "display_name": "display_name",
    "description": "description",
    "created_at": "created_at",
}
_PIPELINES: Final = filters.Listing(
    table="pipelines", tie="rowid", columns={**_COLUMNS, "pipeline_id": "id", "namespace": "''"}
)
_VERSIONS: Final = filters.Listing(table="versions", tie="number", columns={**_COLUMNS, "pipeline_version_id": "id"})


def list_pipelines(call: Call) -> dict[str, Any]:
    """GET: a page of pipelines."""
    page = filters.list_rows(call.store, _PIPELINES, call.query)
    found = [shapes.pipeline(row) for row in page.rows]
    return {"pipelines": found, "total_size": page.total, "next_page_token": page.next_token}


def get_pipeline(call: Call) -> dict[str, Any]:
    """GET one pipeline."""
    return shapes.pipeline(find(call.store, call.path["id"]))


def get_pipeline_by_name(call: Call) -> dict[str, Any]:
    """GET names/{name}."""
    row = call.store.one("SELECT * FROM pipelines WHERE name = ?", call.path["name"])
    if row is None:
        raise not_found("Pipeline", call.path["name"])
    return shapes.pipeline(row)


def delete_pipeline(call: Call) -> dict[str, Any]:
    """DELETE one pipeline; like Kubeflow, requires that it has no versions unless `cascade` is true."""
    row = find(call.store, call.path["id"])
    versions = call.store.all("SELECT id FROM versions WHERE pipeline_id = ?", row["id"])
    if versions and call.query.get("cascade", "").lower() != "true":
        raise bad_request(f"Pipeline {row['id']} has {len(versions)} version(s): delete them first, or cascade.")
    call.store.run("DELETE FROM pipelines WHERE id = ?", row["id"])
    return {}


def list_versions(call: Call) -> dict[str, Any]:
    """GET: a page of a pipeline's versions."""
    pipeline = find(call.store, call.path["id"])
    page = filters.list_rows(call.store, _VERSIONS, call.query, {"pipeline_id": pipeline["id"]})
    found = [shapes.version(row) for row in page.rows]
    return {"pipeline_versions": found, "total_size": page.total, "next_page_token": page.next_token}


def get_version(call: Call) -> dict[str, Any]:
    """GET one version."""
    return shapes.version(find_version(call.store, call.path["id"], call.path["version"]))


def delete_version(call: Call) -> dict[str, Any]:
    """DELETE one version; its runs keep their own copy of the spec."""
    row = find_version(call.store, call.path["id"], call.path["version"])
    call.store.run("DELETE FROM versions WHERE id = ?", row["id"])
    return {}


def update_pipeline(call: Call) -> dict[str, Any]:
    """PATCH one pipeline: its display name and tags."""
    row = find(call.store, call.path["id"])
    _update(call, "pipelines", row)
    return shapes.pipeline(find(call.store, row["id"]))


def update_version(call: Call) -> dict[str, Any]:
    """PATCH one version: its display name and tags."""
    row = find_version(call.store, call.path["id"], call.path["version"])
    _update(call, "versions", row)
    return shapes.version(find_version(call.store, row["pipeline_id"], row["id"]))


def _update(call: Call, table: str, row: Row) -> None:
    body = call.json()
    tags = body.get("tags", json.loads(row["tags"]))
    is_map = isinstance(tags, dict) and all(isinstance(value, str) for value in tags.values())
    if not is_map or len(tags) > _MOST_TAGS or any(len(part) > _LONGEST_TAG for tag in tags.items() for part in tag):
        raise bad_request(f"tags must be at most {_MOST_TAGS} names with texts, of {_LONGEST_TAG} characters each.")
    shown = text_of(body, "display_name") or row["display_name"]
    call.store.run(
        f"UPDATE {table} SET display_name = ?, tags = ? WHERE id = ?",  # noqa: S608  (one of this module's two)
        shown,
        json.dumps(tags),
        row["id"],
    )


def upload_pipeline(call: Call) -> Response:
    """POST upload: a new pipeline with its first version."""
    return _upload_answer(_upload_pipeline, call)


def upload_version(call: Call) -> Response:
    """POST upload_version: adds a version to the pipeline named by `pipelineid`."""
    return _upload_answer(_upload_version, call)


def _upload_answer(upload: Callable[[Call], dict[str, Any]], call: Call) -> Response:
    try:
        return JSONResponse(shapes.without_empty(upload(call)))
    except ApiError as error:
        # Kubeflow reports an unknown pipeline as a bad request here.
        return JSONResponse(error.upload_body(), status_code=400 if error.status == 404 else error.status)


def _upload_pipeline(call: Call) -> dict[str, Any]:
    filename, spec = _uploaded(call)
    name = call.query.get("name") or call.query.get("display_name") or filename
    return shapes.pipeline(add_pipeline(call.store, name, spec, call.query))


def _upload_version(call: Call) -> dict[str, Any]:
    pipeline = find(call.store, call.query.get("pipelineid", ""))
    filename, spec = _uploaded(call)
    name = call.query.get("name") or call.query.get("display_name") or filename
    return shapes.version(add_version(call.store, pipeline["id"], name, spec, call.query))


def add_pipeline(store: Store, name: str, spec: Mapping[str, Any], query: Mapping[str, str]) -> Row:
    """Adds a pipeline and its first version, which has the same name; returns the pipeline's row.

    Raises:
        ApiError: 400 for an unusable name, 409 for one that is taken.
    """
    _check_name(name)
    pipeline_id = new_id()
    try:
        store.insert(
            "pipelines",
            id=pipeline_id,
            name=name,
            display_name=query.get("display_name") or name,
            description=query.get("description", ""),
            created_at=now(),
        )
    except sqlite3.IntegrityError as error:
        text = f"A pipeline with name {name} already exists. Please specify a new name."
        raise ApiError(409, text) from error
    add_version(store, pipeline_id, name, spec, query)
    return find(store, pipeline_id)


def add_version(store: Store, pipeline_id: str, name: str, spec: Mapping[str, Any], query: Mapping[str, str]) -> Row:
    """Adds a version to a pipeline and returns its row.

    Raises:
        ApiError: as `add_pipeline`.
    """
    _check_name(name)
    version_id = new_id()
    try:
        store.insert(
            "versions",
            id=version_id,
            pipeline_id=pipeline_id,
            name=name,
            display_name=query.get("display_name") or name,
            description=query.get("description", ""),
            created_at=now(),
            spec=json.dumps(spec),
        )
    except sqlite3.IntegrityError as error:
        text = f"A version with name {name} already exists in this pipeline. Please specify a new name."
        raise ApiError(409, text) from error
    return find_version(store, pipeline_id, version_id)


def find(store: Store, pipeline_id: str) -> Row:
    """Returns a pipeline's row.

    Raises:
        ApiError: 404.
    """
    row = store.one("SELECT * FROM pipelines WHERE id = ?", pipeline_id)
    if row is None:
        raise not_found("Pipeline", pipeline_id)
    return row


def find_version(store: Store, pipeline_id: str, version_id: str) -> Row:
    """Returns a version's row; for the version id "", that of the newest version.

    Raises:
        ApiError: 404.
    """
    row = store.one(
        "SELECT * FROM versions WHERE pipeline_id = ? AND (id = ? OR ? = '') ORDER BY number DESC",
        pipeline_id,
        version_id,
        version_id,
    )
    if row is None:
        raise not_found("PipelineVersion", version_id or f"of pipeline {pipeline_id}")
    return row


def _check_name(name: str) -> None:
    if not name or len(name) > _LONGEST_NAME:
        raise bad_request(f"The name must have 1 to {_LONGEST_NAME} characters.")


def _uploaded(call: Call) -> tuple[str, dict[str, Any]]:
    """Returns the file's name without its suffix, and the spec in the file."""
    try:
        filename, content = anyio.from_thread.run(_read_upload, call)
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        raise bad_request(f"The body is not a multipart form: {error}") from error
    return filename.rpartition("/")[2].partition(".")[0], specs.read_package(content)


async def _read_upload(call: Call) -> tuple[str, bytes]:
    async def body() -> AsyncGenerator[bytes, None]:
        yield call.body

    headers = Headers({"content-type": call.content_type})
    form = await MultiPartParser(headers, body()).parse()
    file = form.get("uploadfile")
    if not isinstance(file, UploadFile):
        await form.close()
        raise bad_request("The form has no file named 'uploadfile'.")
    content = await file.read()
    await form.close()
    return file.filename or "", content
