"""Requests every URL and API operation as six roles for two namespaces."""

import copy
import json
import re
from collections.abc import Mapping

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import get_commands
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from apps.accounts.models import AuditEntry
from apps.kfp_service import waiting
from apps.kfp_service.app import make_app
from apps.kfp_service.ends import End
from apps.visualizations.api import api
from tests.access import matrix
from tests.access.conftest import ROLES
from tests.access.multi_user import NAMESPACES
from tests.callers import token_of
from tests.runs.specs import SPEC

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(240)]
READABLE = {
    "anonymous": set(),
    "viewer_a": {"team-a"},
    "member_a": {"team-a"},
    "member_b": {"team-b"},
    "administrator": set(),
    "superuser": set(NAMESPACES),
}
SECRETS = (
    "curve of {}",
    "waits in {}",
    "secret of {}",
    "receipt of {}",
    "tag of {}",
    "mine, {}",
    "script of {}",
    "report of {}",
    "sample of {}",
)
FORMS = {
    "new run": {
        "pipeline": "p1",
        "version": "v1",
        "name": "x",
        "experiment_id": "{experiment}",
        "param-rounds": "5",
        "param-label": "x",
    },
    "alert": {
        "event": "render_failed",
        "direction": "above",
        "unit": "absolute",
        "webhook": "http://127.0.0.1:9/x",
    },
    "report": {"title": "x", "base": "1", "action": "save"},
    "proposal": {
        "key": "another_type",
        "title": "x",
        "description": "x",
        "environment": "base",
        "code": "1",
    },
    "rule": {"pipeline": "x", "state": "succeeded", "last": "0", "action": "create"},
    "creator": {"type": "table", "artifact": "data", "arguments_view": "json", "arguments_json": "{}"},
}


@pytest.fixture
def ended(monkeypatch):
    """Makes Kubeflow's visualization protocol answer without a worker, as if the render had ended."""

    async def end(_caller, render_id, *_waiting):
        return End(render_id=render_id, state="succeeded", page=b"<p>page</p>")

    monkeypatch.setattr(waiting, "render_end", end)


class Asker:
    """Requests each cell in a transaction that is rolled back, and collects deviations from the matrix."""

    def __init__(self, world, clients):
        self._world, self._clients = world, clients
        self._fresh = {name: json.dumps(getattr(world.kubeflow, name)) for name in ("runs", "recurring", "experiments")}
        self.cells = 0
        self.violations = []
        self.codes = {}

    def row(self, pattern, method, path, rule, status, data=None):
        for role, wanted in zip(ROLES, matrix.RULES[rule], strict=True):
            for namespace, each in zip(NAMESPACES, wanted, strict=True):
                code = self._cell(role, namespace, (method, path, data), each, status)
                self.codes.setdefault((str(method), pattern), set()).add(code)

    def _cell(self, role, namespace, asked, wanted, status):
        method, path, data = asked
        place = self._world.places[namespace]
        with transaction.atomic():
            response = self._send(role, method, path.format(**place), filled(data, place))
            body = content(response)
            transaction.set_rollback(True)
        for name, rows in self._fresh.items():
            setattr(self._world.kubeflow, name, json.loads(rows))
        self.cells += 1
        cell = f"{role} {method} {path} ({namespace})"
        if wanted == "login":
            if response.status_code not in {401, 302} or (
                response.status_code == 302 and "/login/" not in response["Location"]
            ):
                self.violations.append(f"{cell}: {response.status_code}, should sign in")
        elif response.status_code != (status if wanted == "in" else int(wanted)):
            self.violations.append(f"{cell}: {response.status_code}, should be {status if wanted == 'in' else wanted}")
        if not (path.startswith("/admin/") and role == "administrator"):
            self.violations += [f"{cell}: shows {word!r}" for word in hidden_words(role) if word in body]
        return response.status_code

    def _send(self, role, method, path, data):
        headers = matrix.FRAMED if path.endswith(("/frame", "/app", "/content")) else {}
        client = copy.copy(self._clients[role])
        client.cookies = copy.deepcopy(client.cookies)
        if path.startswith(("/api/", "/apis/")):
            return client.generic(method, path, json.dumps(data or {}), content_type="application/json")
        return client.get(path, headers=headers) if method == "GET" else client.post(path, data or {})

    def refused_methods(self, path, served):
        """Checks that every other method returns 405."""
        place = self._world.places["team-a"]
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - set(served):
            with transaction.atomic():
                answer = self._clients["superuser"].generic(method, path.format(**place), b"{}", "application/json")
                transaction.set_rollback(True)
            self.cells += 1
            if answer.status_code != 405:
                self.violations.append(f"{method} {path}: {answer.status_code}, should be 405")


def hidden_words(role):
    return [secret.format(each) for each in set(NAMESPACES) - READABLE[role] for secret in SECRETS]


def filled(data, place):
    """Fills the values of a place into POST data; a string names one of FORMS or an upload."""
    if isinstance(data, str):
        data = FORMS.get(data) or upload(data)
    if isinstance(data, Mapping):
        named = {f"{{{name}}}": str(value) for name, value in place.items()}
        return {name: _named(value, named) for name, value in data.items()}
    return data


def _named(value, named):
    if isinstance(value, list):
        return [named.get(each, each) if isinstance(each, str) else each for each in value]
    return named.get(value, value) if isinstance(value, str) else value


def upload(kind):
    file = SimpleUploadedFile("pipeline.json", json.dumps(SPEC).encode())
    return {"file": file, "name": "x", "description": ""} if kind == "pipeline" else {"file": file, "name": "x"}


def content(response):
    if response.streaming:
        return b"".join(response.streaming_content).decode(errors="replace")
    return response.content.decode(errors="replace")


def undeclared(asker):
    """Returns the API operations that answered with a code missing from the OpenAPI document."""
    paths = api.get_openapi_schema()["paths"]
    found = {}
    for (method, pattern), codes in asker.codes.items():
        operation = paths.get("/" + re.sub(r"<(\w+)>", r"{\1}", pattern), {}).get(method.lower())
        listed = {int(code) for code in operation["responses"]} if operation else codes
        found |= {(method, pattern): codes - listed} if codes - listed else {}
    return found


def report(asker, capsys, what):
    with capsys.disabled():
        print(f"\n{what}: {asker.cells} cells, {len(asker.violations)} violations")
    assert not asker.violations, "\n".join(asker.violations)


@pytest.mark.parametrize("part", ["PAGES", "API", "ADMIN"])
def test_each_role_gets_exactly_what_the_matrix_says(part, world, clients, ended, capsys):
    asker = Asker(world, clients)
    rows = getattr(matrix, part)
    for row in rows:
        asker.row(*row)
    if part != "ADMIN":  # Django's admin pages accept both GET and POST
        for pattern, path in {row[0]: row[2] for row in rows if row[3] != "nobody"}.items():
            asker.refused_methods(path, [row[1] for row in rows if row[0] == pattern])
    assert undeclared(asker) == {}
    report(asker, capsys, part)


def test_token_has_exactly_its_users_access(world, people, ended, capsys):
    """Requests the API rows with tokens instead of sessions."""
    scripts = {name: Client(raise_request_exception=False) for name in ROLES}
    for name, user in people.items():
        if user is not None:
            scripts[name] = Client(headers={"Authorization": f"Bearer {token_of(user)}"}, raise_request_exception=False)
    asker = Asker(world, scripts)
    for row in matrix.API:
        asker.row(*row)
    report(asker, capsys, "API by token")


def admin_rows(world):
    for model, (name, listed, add, look, change, delete, history) in matrix.ADMIN_MODELS.items():
        base = f"/admin/{model}/"
        own = f"{base}{{{name}}}/"
        yield "", "GET", base, listed, 200
        yield "", "GET", f"{base}add/", add, 200
        yield "", "GET", f"{own}change/", look, 200
        yield "", "GET", f"{own}history/", history, 200
        yield "", "POST", f"{own}delete/", delete, 302, {"post": "yes"}
        # Without fields, the form is shown again to callers who may change the object.
        yield "", "POST", f"{own}change/", change, 200, {}
    yield "", "GET", "/admin/auth/user/{user}/password/", matrix.SUPERUSERS, 200


def test_admin_models_follow_the_matrix(world, clients, capsys):
    entry = AuditEntry.objects.create(action="x")
    attempt = AccessAttempt.objects.create(username="x", attempt_time=timezone.now(), failures_since_start=1)
    for place in world.places.values():
        place |= {"entry": entry.pk, "attempt": attempt.pk, "group": Group.objects.first().pk}
    asker = Asker(world, clients)
    for row in admin_rows(world):
        asker.row(*row)
    report(asker, capsys, "models in the admin site")


@pytest.mark.parametrize("prefix", matrix.QUEUE_PREFIXES)
def test_queue_dashboard_is_for_administrators(prefix, world, clients, capsys):
    """Its actions answer with a redirect, and pages of missing jobs and workers with 404."""
    cells = 0
    for path in matrix.QUEUE_PAGES.values():
        for role in ROLES:
            for method in ("get", "post"):
                answer = getattr(clients[role], method)(f"/{prefix}{path}")
                cells += 1
                is_in = role in {"administrator", "superuser"}
                is_missing = "/x/" in path or path.startswith("schedulers/")
                allowed = ({404, 405, 302} if is_missing else {200, 302}) if is_in else {302, 401, 403, 405}
                assert answer.status_code in allowed, (role, method, path, answer.status_code)
                if not is_in:
                    assert "job" not in content(answer).lower(), (role, path)
    with capsys.disabled():
        print(f"\n/{prefix}: {cells} cells")


def patterns(resolver=None, before=""):
    for each in (resolver or get_resolver()).url_patterns:
        text = before + str(each.pattern)
        yield from patterns(each, text) if isinstance(each, URLResolver) else [text]


def matrix_patterns():
    yield from (row[0] for rows in (matrix.PAGES, matrix.API, matrix.ADMIN) for row in rows)
    yield from (prefix + page for prefix in matrix.QUEUE_PREFIXES for page in matrix.QUEUE_PAGES)
    yield from (matrix.QUEUE_PREFIXES[1] + page for page in matrix.QUEUE_MODEL_PAGES)
    for model in matrix.ADMIN_MODELS:
        one = f"admin/{model}/<path:object_id>/"
        yield from (
            f"admin/{model}/",
            f"admin/{model}/add/",
            one,
            *(one + page for page in ("history/", "delete/", "change/")),
        )
    yield "admin/auth/user/<id>/password/"


def test_every_url_has_a_row_and_no_row_is_stale():
    assert set(patterns()) - set(matrix_patterns()) == set()
    assert set(matrix_patterns()) - set(patterns()) == set()


def test_every_api_operation_has_a_row():
    operations = {
        (method.upper(), re.sub(r"\{(\w+)\}", r"<\1>", path))
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method in methods
    }
    assert operations - {(row[1], "/" + row[0]) for row in matrix.API} == set()


def test_every_listener_route_has_a_row():
    routes = {(method, route.path) for route in make_app().routes for method in route.methods - {"HEAD"}}
    assert routes == set(matrix.LISTENER)


def test_every_command_has_a_row():
    own = {name for name, app in get_commands().items() if app.startswith(("apps.", "vizportal"))}
    assert own == set(matrix.COMMANDS)
