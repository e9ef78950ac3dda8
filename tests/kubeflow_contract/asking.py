"""Plain requests to a Kubeflow Pipelines API, and the pipeline that they are about."""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass, field
from typing import Any

import requests

_numbers = itertools.count()
SPEC = {
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


def fresh(name: str) -> str:
    """Returns a name that no other test has, in this process or an earlier one."""
    return f"{name}-{os.getpid()}-{next(_numbers)}"


@dataclass
class Server:
    """One API by its address."""

    host: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        """Sends one request below /apis/v2beta1."""
        url = f"{self.host}/apis/v2beta1/{path}"
        return self.session.request(method, url, json=body, params=query, timeout=30)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Returns what a GET answers."""
        return self.good(self.ask("GET", path, **query))

    def post(self, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """Returns what a POST answers."""
        return self.good(self.ask("POST", path, body if body is not None else {}, **query))

    def good(self, answer: requests.Response) -> dict[str, Any]:
        """Returns the answer's JSON."""
        assert answer.ok, f"{answer.status_code} {answer.text[:500]}"
        found: dict[str, Any] = answer.json()
        return found

    def upload(self, name: str, path: str = "pipelines/upload", **query: Any) -> dict[str, Any]:
        """Uploads the pipeline."""
        files = {"uploadfile": ("contract.json", json.dumps(SPEC))}
        url = f"{self.host}/apis/v2beta1/{path}"
        return self.good(self.session.post(url, files=files, params={"name": name, **query}, timeout=30))

    def start(self, name: str, **body: Any) -> dict[str, Any]:
        """Starts a run."""
        values = {"display_name": name, "pipeline_spec": SPEC, "runtime_config": {"parameters": {"text": "x"}}}
        return self.post("runs", {**values, **body})


def predicates(*found: dict[str, Any]) -> str:
    """Returns a filter."""
    return json.dumps({"predicates": list(found)})


def refusal(answer: requests.Response) -> tuple[int, int]:
    """Returns the status and the code of an error, whose body must have Kubeflow's form."""
    body = answer.json()
    assert {"code", "message", "details"} <= body.keys(), body
    return answer.status_code, body["code"]
