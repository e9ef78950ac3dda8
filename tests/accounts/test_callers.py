"""Callers: who calls, through which entry point and with which permissions."""

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory

from apps.accounts.caller import (
    Caller,
    CallerKind,
    caller_of,
    caller_set,
    command_caller,
    request_caller,
    system_caller,
)
from apps.accounts.rights import Right

TRUSTED = [CallerKind.COMMAND, CallerKind.SYSTEM]
OTHERS = [kind for kind in CallerKind if kind not in TRUSTED]


def person(**facts):
    """Returns a user without a database and without groups, so that the default role decides."""
    known = {"pk": 7, "is_authenticated": True, "is_active": True, "is_superuser": False}
    return SimpleNamespace(**{**known, "get_username": lambda: "ada", "has_perm": lambda _name: False, **facts})


def held(caller):
    return {right for right in Right if caller.may(right)}


def test_permission_and_caller_kind_values_are_stable():
    assert Right.values == ["view", "create", "custom_code", "administer", "approve"]
    assert [kind.value for kind in CallerKind] == [
        *("page", "api", "token", "kfp_protocol", "admin", "rule", "command", "system"),
    ]


@pytest.mark.parametrize("kind", TRUSTED)
def test_system_and_command_callers_have_every_permission(kind):
    caller = Caller(kind=kind)
    assert caller.is_trusted
    assert caller.sees_everything
    assert held(caller) == set(Right)
    assert (caller.user, caller.user_id, caller.owner, caller.username) == (None, None, None, "")


@pytest.mark.parametrize("kind", OTHERS)
def test_without_account_only_kfp_protocol_has_permissions(kind):
    caller = Caller(kind=kind)
    assert not caller.is_trusted
    assert not caller.is_person
    assert not caller.sees_everything
    assert held(caller) == (
        set(Right) - {Right.ADMINISTER, Right.APPROVE} if kind is CallerKind.KFP_PROTOCOL else set()
    )


@pytest.mark.parametrize("kind", OTHERS)
def test_person_has_permissions_of_their_role_at_every_entry_point(kind, settings):
    settings.VIZPORTAL_DEFAULT_ROLE = "viewer"
    user = person()
    caller = Caller(kind=kind, user=user)
    assert caller.is_person is True
    assert (caller.user_id, caller.owner, caller.username) == (7, user, "ada")
    assert held(caller) == {Right.VIEW}
    assert not caller.sees_everything
    caller.require(Right.VIEW)
    with pytest.raises(PermissionDenied, match="the group Creators"):
        caller.require(Right.CREATE)


@pytest.mark.parametrize("fact", ["is_authenticated", "is_active"])
def test_anonymous_or_inactive_user_is_not_a_person(fact):
    caller = Caller(kind=CallerKind.PAGE, user=person(**{fact: False, "is_superuser": True}))
    assert caller.is_person is False
    assert (caller.user_id, caller.owner, caller.username) == (None, None, "")
    assert held(caller) == set()
    assert not caller.sees_everything


def test_superuser_sees_everything():
    assert Caller(kind=CallerKind.PAGE, user=person(is_superuser=True)).sees_everything is True


@pytest.mark.parametrize(
    ("path", "kind"), [("/admin/auth/", CallerKind.ADMIN), ("/runs/", CallerKind.PAGE), ("/x/admin/", CallerKind.PAGE)]
)
def test_request_has_one_caller_with_kind_of_its_path(path, kind):
    request = RequestFactory().get(path)
    request.user = AnonymousUser()
    caller = caller_of(request)
    assert (caller.kind, caller.user, caller.request) == (kind, request.user, request)
    assert caller_of(request) is caller


def test_caller_set_makes_token_user_the_request_user():
    request, user = RequestFactory().get("/api/v1/runs"), person()
    request.user = AnonymousUser()
    caller = caller_set(request, user, CallerKind.TOKEN)
    assert (request.user, caller.user, caller.kind) == (user, user, CallerKind.TOKEN)
    assert caller_of(request) is caller


def test_caller_has_address_endpoint_and_namespace_of_its_request():
    request, user = RequestFactory().get("/runs/", REMOTE_ADDR="10.1.2.3"), person()
    caller = request_caller(request, user)
    assert (caller.kind, caller.user, caller.address) == (CallerKind.PAGE, user, "10.1.2.3")
    assert (caller.endpoint_key, caller.namespace) == ("", "")
    request.endpoint_key, request.kubeflow_namespace = "mesh", "team-a"
    caller = request_caller(request, user)
    assert (caller.endpoint_key, caller.namespace) == ("mesh", "team-a")
    # The request contains credentials.
    assert "GET" not in repr(caller)


def test_command_and_system_callers_have_different_kinds():
    assert (command_caller().kind, system_caller().kind) == (CallerKind.COMMAND, CallerKind.SYSTEM)
