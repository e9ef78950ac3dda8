"""Sends plain requests to a Kubeflow Pipelines API, and defines the pipeline for them."""

from __future__ import annotations

import copy
import json
import os
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests

from tests.kubeflow_contract.recordings import Source
from tests.waiting import wait_until

SPEC: dict[str, Any] = {
    "pipelineInfo": {"name": "contract"},
    "root": {
        "dag": {"tasks": {"say": {"taskInfo": {"name": "say"}, "componentRef": {"name": "comp-say"},
                                  "inputs": {"parameters": {"n": {"componentInputParameter": "n"}}},
                                  "cachingOptions": {}}}},
        "inputDefinitions": {"parameters": {
            "n": {"parameterType": "NUMBER_INTEGER", "defaultValue": 3.0, "isOptional": True},
            "text": {"parameterType": "STRING"},
        }},
    },
    "components": {"comp-say": {"executorLabel": "exec-say", "inputDefinitions": {
        "parameters": {"n": {"parameterType": "NUMBER_INTEGER"}}}}},
    "deploymentSpec": {"executors": {"exec-say": {"container": {
        "image": "python:3.11", "command": ["sh", "-c"], "args": ["echo hello"]}}}},
    "schemaVersion": "2.1.0",
    "sdkVersion": "kfp-2.17.3",
}  # fmt: skip
FAILING: dict[str, Any] = copy.deepcopy(SPEC)
FAILING["deploymentSpec"]["executors"]["exec-say"]["container"]["args"] = ["exit 1"]


@dataclass
class Server:
    """An API at an address.

    Attributes:
        tape: records or replays responses; None if requests go to the server directly.
        seed: part of every name that tests generate.
        now: the time of the responses.
    """

    host: str
    name: str
    tape: Source | None = None
    seed: str = field(default_factory=lambda: str(os.getpid()))
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    session: requests.Session = field(default_factory=requests.Session)
    _chapter: str = ""
    _names: int = 0

    def __post_init__(self) -> None:
        self.session.trust_env = False

    def begin(self, chapter: str) -> None:
        """Starts the chapter of a test, or of a fixture that several tests share."""
        self._chapter, self._names = chapter, 0
        if self.tape is not None:
            self.tape.chapter = chapter

    def fresh(self, name: str) -> str:
        """Returns a name that no other test uses, in this or an earlier process. In a recording, it is fixed."""
        self._names += 1
        return f"{name}-{self.seed}-{zlib.crc32(self._chapter.encode()):08x}-{self._names}"

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        """Sends one request below /apis/v2beta1."""
        url = f"{self.host}/apis/v2beta1/{path}"
        return self.session.request(method, url, json=body, params=query, timeout=30)

    def ask_text(self, method: str, path: str, body: str) -> requests.Response:
        """Sends one request with a body that need not be JSON."""
        url = f"{self.host}/apis/v2beta1/{path}"
        headers = {"Content-Type": "application/json"}
        return self.session.request(method, url, data=body, headers=headers, timeout=30)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Returns the response to a GET."""
        return self.good(self.ask("GET", path, **query))

    def post(self, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """Returns the response to a POST."""
        return self.good(self.ask("POST", path, body if body is not None else {}, **query))

    def good(self, answer: requests.Response) -> dict[str, Any]:
        """Returns the JSON of a successful response."""
        assert answer.ok, f"{answer.status_code} {answer.text[:500]}"
        found: dict[str, Any] = answer.json()
        return found

    def upload(self, name: str, path: str = "pipelines/upload", **query: Any) -> dict[str, Any]:
        """Uploads the pipeline."""
        return self.good(self.send("contract.json", json.dumps(SPEC).encode(), path, name=name, **query))

    def send(self, file: str, content: bytes, path: str = "pipelines/upload", **query: Any) -> requests.Response:
        """Uploads a file."""
        url = f"{self.host}/apis/v2beta1/{path}"
        return self.session.post(url, files={"uploadfile": (file, content)}, params=query, timeout=30)

    def run_body(self, name: str, *, reference: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
        """Returns the body that starts a run of the pipeline itself, or of the referenced version."""
        source = {"pipeline_version_reference": reference} if reference else {"pipeline_spec": SPEC}
        return {"display_name": name, **source, "runtime_config": {"parameters": {"text": "x"}}, **body}

    def start(self, name: str, **body: Any) -> dict[str, Any]:
        """Starts a run."""
        return self.post("runs", self.run_body(name, **body))

    def end_runs(self) -> None:
        """Ends all pending and running runs."""
        active = {"operation": "IN", "key": "state", "string_values": {"values": ["PENDING", "RUNNING"]}}
        for run in self.get("runs", filter=predicates(active), page_size=200).get("runs", []):
            self.ask("POST", f"runs/{run['run_id']}:terminate", {})

    def ended(self, path: str, phase: str) -> dict[str, Any]:
        """Waits until a run has ended. If nothing executes runs, reports its workflow as ended.

        Args:
            path: `runs/{id}`.
            phase: the phase with which it ends in Argo.
        """
        legacy = self.session.get(f"{self.host}/apis/v1beta1/{path}", timeout=30)
        runtime = legacy.json().get("pipeline_runtime", {}) if legacy.ok else {}
        manifest = runtime.get("workflow_manifest") or runtime.get("pipeline_manifest")
        if manifest:
            workflow = json.loads(manifest)
            workflow["metadata"] |= {"uid": path.partition("/")[2], "creationTimestamp": "2026-01-01T00:00:00Z"}
            times = {"startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:01:00Z"}
            workflow["status"] = {"phase": phase, **times, "nodes": {}}
            self.good(self.ask("POST", "workflows", json.dumps(workflow)))
        found: dict[str, Any] = {}

        def is_over() -> bool:
            found.update(self.get(path))
            return found["state"] in {"SUCCEEDED", "FAILED"}

        wait_until(is_over, 60, f"{path} does not end: {found.get('state')}")
        return found


def predicates(*found: dict[str, Any]) -> str:
    """Returns a filter."""
    return json.dumps({"predicates": list(found)})


def names(answer: dict[str, Any], key: str) -> list[str]:
    """Returns the names in a page."""
    return [row["display_name"] for row in answer.get(key, [])]


def all_pages(server: Server, path: str, *, key: str = "", **query: Any) -> list[dict[str, Any]]:
    """Returns the rows of all pages of a list, up to ten pages."""
    found: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    for _ in range(10):
        page = server.get(path, **query, **token)
        found += page.get(key or path, [])
        if not page.get("next_page_token"):
            return found
        token = {"page_token": page["next_page_token"]}
    raise AssertionError(f"{path} has more than ten pages")


def refusal(answer: requests.Response) -> tuple[int, int]:
    """Returns the status and code of an error, and checks that the body has Kubeflow's form."""
    body = answer.json()
    # Errors of its gateway, which parses requests, have no details.
    assert body.keys() in ({"code", "message", "details"}, {"code", "message"}), body
    assert body["message"]
    assert body.get("details", [{"message": "none"}])[0]["message"]
    return answer.status_code, body["code"]
