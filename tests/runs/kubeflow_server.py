"""The fake Kubeflow's HTTP server: REST, lineage over gRPC-Web, artifacts and logs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mlmd import grpc_web, messages

from tests.runs.kubeflow import Kubeflow, run_row


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes. Without this, the second would wait about 40 ms for the first's acknowledgement.
    disable_nagle_algorithm = True
    kubeflow: Kubeflow

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.kubeflow.requests.append((self.command, parts.path))
        self.kubeflow.queries.append(query)
        self.kubeflow.headers.append(self.headers)
        if self.kubeflow.page:
            self._send(200, self.kubeflow.page.encode(), "")
        elif parts.path.startswith(messages.SERVICE_PATH):
            self._lineage(parts.path.removeprefix(messages.SERVICE_PATH), body)
        elif parts.path == "/artifacts/get":
            self._object(self.kubeflow.objects.get(f"{query['bucket']}/{query['key']}"))
        elif parts.path == "/k8s/pod/logs":
            text = self.kubeflow.logs.get(query["podname"])
            self._send(*((200, text.encode()) if text is not None else (404, b"pod not found")), "text/plain")
        elif parts.path == "/apis/v2beta1/healthz" and self.kubeflow.version:
            self._json({"apiServerTagName": self.kubeflow.version, "multi_user": False})
        else:
            self._rest(parts.path.removeprefix("/apis/v2beta1/"), query, body)

    def _object(self, data: bytes | None) -> None:
        if data is None:
            self._send(404, b"no such object", "text/plain")
        else:
            self._send(200, data, "")

    def _rest(self, path: str, query: dict[str, str], body: bytes) -> None:
        known = self.kubeflow
        kind, _, rest = path.partition("/")
        if self.command == "POST" and path in {"runs", "pipelines/upload", "pipelines/upload_version"}:
            self._made(path, query, body)
        elif rest and kind in {"runs", "recurringruns"}:
            self._run(rest, query) if kind == "runs" else self._recurring(rest)
        elif path.endswith("/versions"):
            self._json({"pipeline_versions": known.versions})
        elif "/versions/" in path:
            self._row(known.versions, "pipeline_version_id", path.rpartition("/")[2])
        elif rest:
            is_pipeline = kind == "pipelines"
            rows, key = (known.pipelines, "pipeline_id") if is_pipeline else (known.experiments, "experiment_id")
            self._row(rows, key, rest)
        else:
            self._list(path, query)

    def _list(self, path: str, query: dict[str, str]) -> None:
        known = self.kubeflow
        lists: dict[str, dict[str, Any]] = {
            "healthz": {"multi_user": False},
            "runs": {"runs": self._chosen(query), "total_size": len(known.runs), "next_page_token": ""},
            "recurringruns": {"recurringRuns": known.recurring, "total_size": len(known.recurring)},
            "experiments": {"experiments": known.experiments},
            "pipelines": {"pipelines": known.pipelines},
        }
        self._json(lists[path])

    def _made(self, path: str, query: dict[str, str], body: bytes) -> None:
        known = self.kubeflow
        if path == "runs" and known.refusal:
            error = {"code": 3, "message": known.refusal, "details": [{"message": known.refusal}]}
            self._json(error, status=400)
        elif path == "runs":
            known.posted.append(json.loads(body))
            known.runs.append(run_row("started", display_name=json.loads(body)["display_name"], state="PENDING"))
            self._json(known.runs[-1])
        else:
            known.posted.append({"name": query.get("name"), "body": body.decode("utf-8", "replace")})
            self._json(known.versions[0] if path.endswith("version") else known.pipelines[0])

    def _recurring(self, rest: str) -> None:
        recurring_id, _, action = rest.partition(":")
        row = next((row for row in self.kubeflow.recurring if row.get("recurring_run_id") == recurring_id), None)
        if row is not None and action:
            row["status"] = {"enable": "ENABLED", "disable": "DISABLED"}[action]
        if row is not None and self.command == "DELETE":
            self.kubeflow.recurring.remove(row)
        if action or self.command == "DELETE":
            self._json({})
        else:
            self._row(self.kubeflow.recurring, "recurring_run_id", recurring_id)

    def _run(self, rest: str, query: dict[str, str]) -> None:
        run_id, _, action = rest.partition(":")
        if run_id.endswith("/tasks"):
            self._tasks(run_id.removesuffix("/tasks"), query)
            return
        if "view" in query and self.kubeflow.refuses_view:
            self._json({"code": 3, "details": [{"message": "unknown parameter view"}]}, status=400)
            return
        if action in {"archive", "unarchive"}:
            row = next(row for row in self.kubeflow.runs if row["run_id"] == run_id)
            row["storage_state"] = "ARCHIVED" if action == "archive" else "AVAILABLE"
        if action == "terminate" and run_id == "r1":
            self._json({"code": 3, "details": [{"message": "the run has ended"}]}, status=400)
        elif action or self.command == "DELETE":
            self._json({})
        else:
            self._row(self.kubeflow.runs, "run_id", run_id, self._with_tasks(run_id, query))

    def _with_tasks(self, run_id: str, query: dict[str, str]) -> dict[str, Any]:
        tasks = self.kubeflow.tasks.get(run_id)
        if tasks is None or query.get("view") != "FULL":
            return {}
        # Kubeflow's JSON omits empty lists and zero counts.
        return {"tasks": tasks[: self.kubeflow.tasks_with_run], "task_count": len(tasks)} if tasks else {}

    def _tasks(self, run_id: str, query: dict[str, str]) -> None:
        start, size = int(query.get("page_token") or 0), 17
        tasks = self.kubeflow.tasks.get(run_id)
        if tasks is None:
            # Respond like a server without the task API.
            self._json({"code": 5, "message": "Not Found"}, status=404)
            return
        more = str(start + size) if start + size < len(tasks) else ""
        self._json({"tasks": tasks[start : start + size], "next_page_token": more})

    def _chosen(self, query: dict[str, str]) -> list[dict[str, Any]]:
        rows = self.kubeflow.runs
        for predicate in json.loads(query.get("filter") or "{}").get("predicates", []):
            if predicate["key"] == "name":
                rows = [row for row in rows if predicate["string_value"] in row.get("display_name", "")]
            if predicate["key"] in {"state", "run_id", "recurring_run_id"}:
                wanted = predicate.get("string_values", {}).get("values") or [predicate.get("string_value")]
                rows = [row for row in rows if row.get(predicate["key"]) in wanted]
            if predicate["key"] == "storage_state":
                is_wanted = predicate["operation"] == "EQUALS"
                rows = [row for row in rows if (row.get("storage_state") == "ARCHIVED") == is_wanted]
            if predicate["key"] == "created_at":
                is_from = predicate["operation"] == "GREATER_THAN_EQUALS"
                bound = predicate["timestamp_value"]
                rows = [row for row in rows if (row.get("created_at", "") >= bound) == is_from]
        return rows

    def _row(self, rows: list[dict[str, Any]], key: str, value: str, more: dict[str, Any] | None = None) -> None:
        found = next((row for row in rows if row.get(key) == value), None)
        if found is None:
            error = {"error": "x", "code": 5, "message": "x", "details": [{"message": f"{key} {value} not found"}]}
            self._json(error, status=404)
        else:
            self._json({**found, **(more or {})})

    def _lineage(self, method: str, body: bytes) -> None:
        if self.kubeflow.lineage_status != 200:
            self._send(self.kubeflow.lineage_status, b"upstream connect error", "text/plain")
            return
        request = grpc_web.decode_request(body, messages.message_class(f"{method}Request"))
        answer = messages.message_class(f"{method}Response")()
        known = self.kubeflow
        if method == "GetContextByTypeAndName" and known.executions:
            answer.context.id = 1
        elif method == "GetExecutionsByContext":
            start = int(request.options.next_page_token or 0)
            stop = start + request.options.max_result_size
            answer.executions.extend(known.executions[start:stop])
            answer.next_page_token = str(stop) if stop < len(known.executions) else ""
        elif method == "GetEventsByExecutionIDs":
            answer.events.extend(event for event in known.events if event.execution_id in request.execution_ids)
        elif method == "GetArtifactsByID":
            answer.artifacts.extend(row for row in known.artifacts if row.id in request.artifact_ids)
        self._send(200, grpc_web.encode_response(answer), grpc_web.CONTENT_TYPE)

    def _json(self, value: Any, *, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        if content_type:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve(kubeflow: Kubeflow, handler: type[Handler] = Handler) -> Iterator[Kubeflow]:
    """Serves the fake Kubeflow on a free port until the block ends. `kubeflow.url` is its address."""
    own = type("OwnHandler", (handler,), {"kubeflow": kubeflow})
    server = ThreadingHTTPServer(("127.0.0.1", 0), own)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    kubeflow.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield kubeflow
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
