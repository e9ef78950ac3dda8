"""Public functions of services and selectors require a caller and check its permissions."""

import ast
import fnmatch
import importlib
import inspect
import itertools
import json
import pkgutil
import uuid
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.test import RequestFactory

from apps.accounts.caller import Caller, CallerKind, command_caller, system_caller
from apps.accounts.rights import Right
from apps.runs.entities import Run, State
from apps.runs.exceptions import ForbiddenError
from apps.runs.exceptions import NotFoundError as NoSuchRunError
from apps.runs.gateway.gateway import Gateway
from apps.visualizations.exceptions import NotAllowedError, NotFoundError
from tests.access import functions
from tests.access.conftest import ROLES
from tests.access.multi_user import NAMESPACES

pytestmark = pytest.mark.django_db


def modules():
    for name in functions.PLACES:
        module = importlib.import_module(name)
        yield module
        if name == "apps.visualizations.services":
            yield from (
                importlib.import_module(f"{name}.{each.name}") for each in pkgutil.iter_modules(module.__path__)
            )


def public_functions():
    return {
        f"{module.__name__}.{name}": function
        for module in modules()
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == module.__name__
    }


def listed():
    return [
        *functions.CALLED,
        *functions.ASKED_BY_ADDRESS,
        *functions.SYSTEM,
        *functions.SIGNING_IN,
        *functions.NOBODYS,
    ]


def test_every_public_function_has_a_row_and_no_row_is_stale():
    known = public_functions()
    without = [name for name in known if not any(fnmatch.fnmatchcase(name, row) for row in listed())]
    stale = [row for row in listed() if not fnmatch.filter(known, row)]
    assert (without, stale) == ([], [])


def test_functions_on_personal_data_require_a_caller():
    for name in {*functions.CALLED, *functions.ASKED_BY_ADDRESS}:
        first = next(iter(inspect.signature(public_functions()[name]).parameters.values()))
        assert (first.name, first.annotation, first.default) == ("caller", "Caller", inspect.Parameter.empty), name


def outcome(call, *given):
    try:
        answer = call(*given)
    except (PermissionDenied, NotAllowedError):
        return "no"
    except (NotFoundError, NoSuchRunError, ForbiddenError):
        return "404"
    answer = list(answer) if isinstance(answer, QuerySet) else answer
    is_empty = (
        answer is None or answer is False or (not isinstance(answer, int) and hasattr(answer, "__len__") and not answer)
    )
    return (
        "none"
        if is_empty or (type(answer) is int and answer == 0 and call.__code__.co_names[-1] == "queued_count")
        else "in"
    )


@pytest.fixture
def callers(people, world):
    """Returns the caller of a page for a role and a namespace."""

    def make(role, namespace):
        user = people[role] or AnonymousUser()
        request = RequestFactory().get("/", {"namespace": namespace})
        request.user, request.session = user, {}
        return Caller(kind=CallerKind.PAGE, user=user, endpoint_key="mesh", namespace=namespace, request=request)

    return make


def test_each_function_returns_what_the_matrix_says_for_each_role(world, callers, clients, capsys):
    world.new_id = uuid.uuid4
    for namespace, place in world.places.items():
        place["run entity"] = Run(id=place["run"], name="x", state=State.SUCCEEDED, namespace=namespace)
    fresh = {name: json.dumps(getattr(world.kubeflow, name)) for name in ("runs", "recurring")}
    cells, violations = 0, []
    for (name, (call, rule)), (role, pair) in itertools.product(functions.CALLED.items(), enumerate(ROLES)):
        for namespace, wanted in zip(NAMESPACES, rule[role], strict=True):
            with transaction.atomic():
                got = outcome(call, callers(pair, namespace), world, world.places[namespace])
                transaction.set_rollback(True)
            for rows, text in fresh.items():
                setattr(world.kubeflow, rows, json.loads(text))
            cells += 1
            if got != wanted:
                violations.append(f"{name} as {pair} in {namespace}: {got}, should be {wanted}")
    with capsys.disabled():
        print(f"\nfunctions: {cells} cells, {len(violations)} violations")
    assert not violations, "\n".join(violations)


@pytest.mark.parametrize("caller", [command_caller(), system_caller()])
def test_commands_and_system_have_every_permission(caller):
    assert all(caller.may(right) for right in Right)
    assert (caller.user_id, caller.owner, caller.username) == (None, None, "")


def test_kfp_protocol_listener_may_view_create_and_run_custom_code():
    caller = Caller(kind=CallerKind.KFP_PROTOCOL)
    assert {right for right in Right if caller.may(right)} == {Right.VIEW, Right.CREATE, Right.CUSTOM_CODE}
    assert not Caller(kind=CallerKind.PAGE).may(Right.VIEW)
    assert not Caller(kind=CallerKind.KFP_PROTOCOL, user=AnonymousUser()).may(Right.VIEW)


def names_in(path):
    return {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}


def test_only_services_call_gateway_methods_that_write():
    """A view that calls the gateway directly would bypass the permission check and the audit log."""
    methods = {name for name, _ in inspect.getmembers(Gateway, inspect.isfunction) if not name.startswith("_")}
    readers = {name for name in methods if name not in functions.KUBEFLOW_WRITERS}
    assert methods >= functions.KUBEFLOW_WRITERS
    assert not [name for name in readers if name.endswith(("_create", "_delete", "_upload", "_terminate", "_retry"))]
    room = Path(settings.BASE_DIR) / "apps"
    files = [path for path in room.rglob("*.py") if "gateway" not in path.parts and "localkfp" not in path.parts]
    users = {str(path.relative_to(room)) for path in files if names_in(path) & functions.KUBEFLOW_WRITERS}
    # Views and URLs have the same names as the services.
    assert users == {"runs/actions.py", "runs/views/pipelines.py", "runs/urls.py"}


def test_only_entry_points_read_request_user():
    """Only the code that makes callers reads `request.user`."""
    makers = {"accounts/caller.py", "accounts/middleware.py", "accounts/views.py", "visualizations/api/auth.py"}
    makers |= {"visualizations/views/content.py", "telemetry/context.py"}
    room = Path(settings.BASE_DIR) / "apps"
    users = {str(path.relative_to(room)) for path in room.rglob("*.py") if "request.user" in path.read_text()}
    assert users - makers == set()
