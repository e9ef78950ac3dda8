"""Which permission a caller needs to change a visualization, and what the audit log records."""

from types import SimpleNamespace
from uuid import UUID

import pytest

from apps.accounts import audit
from apps.accounts.caller import Caller, CallerKind, command_caller
from apps.accounts.rights import Right
from apps.runs import access
from apps.visualizations.exceptions import NotAllowedError, NotFoundError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services import rights

KEY = UUID("6d3f1c52-0000-4000-8000-000000000000")


def person(pk=7, **facts):
    known = {"is_authenticated": True, "is_active": True, "is_superuser": False, "has_perm": lambda _name: False}
    return Caller(kind=CallerKind.PAGE, user=SimpleNamespace(pk=pk, get_username=lambda: "ada", **{**known, **facts}))


@pytest.fixture
def role(settings):
    """Sets the role of people who are in no group."""
    settings.VIZPORTAL_DEFAULT_ROLE = "creator"

    def set_role(name):
        settings.VIZPORTAL_DEFAULT_ROLE = name

    return set_role


def test_missing_permission_is_refused_with_an_explanation(role):
    rights.right_check(person(), Right.CREATE)
    with pytest.raises(NotAllowedError, match="administ"):
        rights.right_check(person(), Right.ADMINISTER)
    role("viewer")
    with pytest.raises(NotAllowedError, match="group Creators"):
        rights.right_check(person(), Right.CREATE)


def test_only_owner_and_administrators_change_a_visualization(role):
    own = Visualization(owner_id=7)
    rights.change_check(person(), own)
    rights.change_check(person(pk=8, is_superuser=True), own)
    rights.change_check(command_caller(), own)
    with pytest.raises(NotAllowedError, match="Only its owner or an administrator may do this"):
        rights.change_check(person(pk=8), own)
    with pytest.raises(NotAllowedError, match="Only its owner"):
        rights.change_check(person(), Visualization(owner_id=None))


def test_owner_without_create_permission_changes_nothing(role):
    role("viewer")
    with pytest.raises(NotAllowedError, match="group Creators"):
        rights.change_check(person(), Visualization(owner_id=7))


def test_only_the_waiting_caller_may_give_up_a_render(role):
    rights.waiter_check(person(), Render(requested_by_id=7))
    rights.waiter_check(Caller(kind=CallerKind.KFP_PROTOCOL), Render(requested_by_id=None))
    for caller in (person(pk=8), Caller(kind=CallerKind.KFP_PROTOCOL)):
        with pytest.raises(NotAllowedError, match="Only the caller that waits for a render may do this"):
            rights.waiter_check(caller, Render(requested_by_id=7))
    role("viewer")
    with pytest.raises(NotAllowedError, match="group Creators"):
        rights.waiter_check(person(), Render(requested_by_id=7))


def test_unreadable_namespace_is_not_found(monkeypatch):
    asked = []
    monkeypatch.setattr(access, "may_read", lambda *given: asked.append(given) or given[2] == "team-a")
    caller = person()
    rights.namespace_check(caller, "mesh", "team-a")
    with pytest.raises(NotFoundError, match=r"^There is no namespace 'team-b', or you may not see it\.$"):
        rights.namespace_check(caller, "mesh", "team-b")
    assert asked == [(caller, "mesh", "team-a"), (caller, "mesh", "team-b")]
    with pytest.raises(NotFoundError, match=f"'{'x' * 63}'"):
        rights.namespace_check(caller, "mesh", "x" * 99)


def test_audit_record_names_the_visualization(monkeypatch):
    written = []
    monkeypatch.setattr(audit, "record", lambda *given, **facts: written.append((given, facts)))
    found = Visualization(id=KEY, title="Curve", endpoint_key="mesh", namespace="team-a")
    caller = person()
    rights.record(caller, "visualization.rename", found)
    rights.record(caller, "visualization.rename", found, detail="was: Line")
    facts = {"target": KEY, "target_name": "Curve", "endpoint_key": "mesh", "namespace": "team-a"}
    assert written == [
        ((caller, "visualization.rename"), {**facts, "detail": ""}),
        ((caller, "visualization.rename"), {**facts, "detail": "was: Line"}),
    ]
