"""The OpenAPI document lists the error codes of each operation: these tests provoke each one, and see no other."""

import json
import uuid

import pytest
from django.db import OperationalError
from django.test import Client

from apps.runs.exceptions import EndpointError, InvalidRequestError, NotFoundError
from apps.visualizations.api import api, auth

pytestmark = pytest.mark.django_db(transaction=True)
ASK = {"run_id": "r1", "step_id": "s1", "artifact": "predictions", "type": "table"}
NOWHERE = str(uuid.uuid4())
NO_IDS = dict.fromkeys(("visualization_id", "render_id", "series_id"), NOWHERE)
# name: (method, path as in the document, body)
OPERATIONS = {
    "runs": ("GET", "/api/v1/runs", None),
    "run": ("GET", "/api/v1/runs/{run_id}", None),
    "states": ("GET", "/api/v1/states", None),
    "types": ("GET", "/api/v1/types", None),
    "list": ("GET", "/api/v1/visualizations", None),
    "create": ("POST", "/api/v1/visualizations", ASK),
    "get": ("GET", "/api/v1/visualizations/{visualization_id}", None),
    "delete": ("DELETE", "/api/v1/visualizations/{visualization_id}", None),
    "rerender": ("POST", "/api/v1/visualizations/{visualization_id}/rerender", {}),
    "changes": ("GET", "/api/v1/visualizations/{visualization_id}/changes", None),
    "run_copy": ("GET", "/api/v1/visualizations/{visualization_id}/run", None),
    "series": ("GET", "/api/v1/series/{series_id}", None),
    "render": ("GET", "/api/v1/renders/{render_id}", None),
    "cancel": ("POST", "/api/v1/renders/{render_id}/cancel", {}),
    "queue": ("GET", "/api/v1/queue", None),
}
# (code, operation, how to provoke it); the fixture `ways` has a function for each "how".
PROVOKED = [
    *((401, name, "nobody is signed in") for name in OPERATIONS),
    *((403, name, "an account without a role") for name in OPERATIONS),
    *((503, name, "the database is away") for name in OPERATIONS),
    (400, "runs", "no such page size"),
    (400, "run", "Kubeflow refuses the id"),
    (400, "list", "no such page"),
    (400, "series", "no such page"),
    (400, "create", "an empty body"),
    (400, "rerender", "a list as the body"),
    (400, "cancel", "a form of a page"),
    *((404, name, "Kubeflow has no such run") for name in ("runs", "run", "create")),
    *(
        (404, name, "no such id")
        for name in ("get", "delete", "changes", "run_copy", "rerender", "render", "cancel", "series")
    ),
    (409, "rerender", "it waits already"),
    (429, "create", "too many wait"),
    (429, "rerender", "too many wait"),
    *((502, name, "Kubeflow answers nonsense") for name in ("runs", "run", "create")),
]


@pytest.fixture
def send(submit, browser, owner, kubeflow):
    """Calls one operation on a queued visualization."""
    made = submit()
    own = {"visualization_id": str(made.visualization.id), "render_id": str(made.render.id), "run_id": "r1"}
    own["series_id"] = str(made.visualization.recipe_id)

    def ask(name, *, client=None, ids=None, query="", content_type="application/json", **more):
        method, path, body = OPERATIONS[name]
        content = json.dumps(more.get("body", body)) if body is not None or "body" in more else ""
        client = client or browser(owner)
        address = path.format(**(own | (ids or {}))) + query
        return client.generic(method, address, content, content_type, headers=more.get("headers", {}))

    return ask


@pytest.fixture
def ways(send, settings, monkeypatch, kubeflow, browser, reader, work):
    def with_kubeflow(error):
        def way(name):
            kubeflow.error = error
            return send(name)

        return way

    def without_role(name):
        settings.VIZPORTAL_DEFAULT_ROLE = "none"
        return send(name, client=browser(reader))

    def without_database(name):
        def away(_raw):
            raise OperationalError("away")

        monkeypatch.setattr(auth, "token_user", away)
        return send(name, client=Client(headers={"Authorization": "Bearer vzp_x"}))

    def too_many(name):
        work()
        settings.VIZPORTAL_MAX_QUEUED_PER_USER = 0
        return send(name, body={**ASK, "force": True} if name == "create" else {})

    return {
        "nobody is signed in": lambda name: send(name, client=Client()),
        "an account without a role": without_role,
        "the database is away": without_database,
        "no such page size": lambda name: send(name, query="?page_size=0"),
        "Kubeflow refuses the id": with_kubeflow(InvalidRequestError("not an id")),
        "no such page": lambda name: send(name, query="?page_token=x"),
        "an empty body": lambda name: send(name, body={}),
        "a list as the body": lambda name: send(name, body=[]),
        "a form of a page": lambda name: send(name, content_type="text/plain"),
        "Kubeflow has no such run": with_kubeflow(NotFoundError("no such run")),
        "no such id": lambda name: send(name, ids=NO_IDS),
        "it waits already": send,
        "too many wait": too_many,
        "Kubeflow answers nonsense": with_kubeflow(EndpointError("nonsense")),
    }


@pytest.mark.parametrize(("code", "name", "how"), PROVOKED, ids=lambda value: str(value).replace(" ", "_"))
def test_operation_returns_error_code_in_standard_shape(code, name, how, ways):
    answer = ways[how](name)
    assert answer.status_code == code, answer.content
    assert set(answer.json()["error"]) <= {"code", "message", "fields"}


_ELSEWHERE = tuple(
    f"/api/v1/{name}" for name in ("alerts", "comparisons", "proposals", "queue/", "reports", "rules", "shares")
)


def declared():
    found = {}
    for path, methods in api.get_openapi_schema()["paths"].items():
        # Other apps test the codes of these operations.
        if path.startswith(_ELSEWHERE):
            continue
        for method, operation in methods.items():
            codes = {int(code): each for code, each in operation["responses"].items() if int(code) >= 400}
            assert all("Error" in json.dumps(each) for each in codes.values())
            found[method.upper(), path] = set(codes)
    return found


def test_openapi_document_lists_exactly_the_returned_codes():
    observed = {}
    for code, name, _ in PROVOKED:
        observed.setdefault(OPERATIONS[name][:2], set()).add(code)
    assert declared() == observed
