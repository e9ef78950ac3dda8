"""GET /k8s/pod/logs: a step's log, as far as it has been written."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from localkfp.artifacts import read_chunks
from localkfp.calls import Call

_POD_NAME: Final = re.compile(r"[a-z0-9-]{1,253}")


def get_log(call: Call) -> Response:
    """Returns the log of a step so far, as plain text; 404 for an unknown pod."""
    pod_name, run_id = call.query.get("podname", ""), call.query.get("runid", "")
    row = call.store.one(
        "SELECT run_id FROM executions WHERE pod_name = ? AND (run_id = ? OR ? = '')",
        pod_name,
        run_id,
        run_id,
    )
    if row is None or not _POD_NAME.fullmatch(pod_name):
        return PlainTextResponse(f"Could not get main container logs: pod {pod_name} not found", status_code=404)
    path = call.places.log(row["run_id"], pod_name)
    if not path.is_file():
        return PlainTextResponse("")
    return StreamingResponse(read_chunks(path), media_type="text/plain; charset=utf-8")
