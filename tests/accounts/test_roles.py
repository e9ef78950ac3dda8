"""Roles and their permissions, tested through pages, the API and the admin site."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from apps.accounts import audit, roles
from apps.accounts.caller import Caller, CallerKind, command_caller
from apps.accounts.models import AuditEntry
from apps.accounts.rights import Right
from apps.accounts.roles import Role

pytestmark = pytest.mark.django_db


def signed_in(role=None, name="ada"):
    user = get_user_model().objects.create_user(name, f"{name}@example.org")
    if role is not None:
        roles.role_set(user, role)
    client = Client()
    client.force_login(get_user_model().objects.get(pk=user.pk))
    return client


def ask_for(client, **fields):
    asked = {"run_id": "r1", "step_id": "s1", **fields}
    return client.post("/api/v1/visualizations", asked, content_type="application/json")


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (Role.NONE, set()),
        (Role.VIEWER, {Right.VIEW}),
        (Role.CREATOR, {Right.VIEW, Right.CREATE}),
        (Role.CODER, {Right.VIEW, Right.CREATE, Right.CUSTOM_CODE}),
        (Role.ADMINISTRATOR, set(Right)),
    ],
)
def test_each_role_has_its_permissions_by_group_and_as_default(role, rights, settings):
    assert role.rights == rights
    user = get_user_model().objects.create_user("ada")
    if role is not Role.ADMINISTRATOR:
        settings.VIZPORTAL_DEFAULT_ROLE = role.value
        assert {right for right in Right if roles.may(user, right)} == rights
    settings.VIZPORTAL_DEFAULT_ROLE = "none"
    roles.role_set(user, role)
    user = get_user_model().objects.get(pk=user.pk)
    assert {right for right in Right if roles.may(user, right)} == rights


@pytest.mark.parametrize("default", list(Role))
@pytest.mark.parametrize("right", list(Right))
def test_accounts_with_a_permission_are_those_that_may_use_it(right, default, settings):
    settings.VIZPORTAL_DEFAULT_ROLE = default.value
    users = get_user_model().objects
    people = [users.create_user("nobody"), users.create_superuser("root")]
    for role in Role:
        people.append(users.create_user(role.value))
        roles.role_set(people[-1], role)
    users.create_user("gone", is_active=False)
    allowed = {each.username for each in people if roles.may(users.get(pk=each.pk), right)}
    assert {each.username for each in roles.people_with(right)} == allowed


def test_user_without_role_sees_whom_to_ask_and_can_sign_out(settings):
    settings.VIZPORTAL_DEFAULT_ROLE = "none"
    client = signed_in()
    answer = client.get("/visualizations/")
    assert answer.status_code == 403
    assert "Ask an administrator of this portal to add you to the group Viewers." in answer.content.decode()
    refused = client.get("/api/v1/visualizations")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
    assert client.post("/logout/").status_code == 302


def test_viewer_can_view_but_not_change_anything(settings):
    settings.KFP_HOST = "http://127.0.0.1:9"  # not contacted in this test
    client = signed_in(Role.VIEWER)
    assert client.get("/visualizations/").status_code == 200
    for path in ("/runs/new/", "/runs/r1/terminate", "/runs/r1/delete", "/pipelines/upload"):
        assert client.post(path).status_code == 403, path
    made = client.post(
        "/api/v1/visualizations", {"type": "TABLE", "run_id": "r1", "step_id": "s1"}, content_type="application/json"
    )
    assert made.status_code == 403
    assert "the group Creators" in made.json()["error"]["message"]


def test_custom_code_requires_the_permission_besides_the_setting(settings):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    settings.KFP_HOST = "http://127.0.0.1:9"  # not contacted in this test
    answer = ask_for(signed_in(Role.CREATOR), type="CUSTOM", code="print(1)")
    assert answer.status_code == 403
    assert "the group Coders" in answer.json()["error"]["message"]


def test_administrator_manages_results_but_not_users():
    client = signed_in(Role.ADMINISTRATOR)
    assert client.get("/admin/visualizations/visualization/").status_code == 200
    assert client.get("/admin/people/auditentry/").status_code == 200
    user = get_user_model().objects.get(username="ada")
    assert not user.has_perm("auth.change_user")
    roles.role_set(user, Role.VIEWER)
    assert client.get("/admin/").status_code == 302


def test_audit_log_can_be_searched_and_exported_but_not_changed(db):
    client = signed_in(Role.ADMINISTRATOR)
    Client().post("/login/", {"username": "eve", "password": "wrong"})
    entry = AuditEntry.objects.get(outcome="refused")
    assert (entry.action, entry.username) == ("sign_in", "eve")
    assert "eve" in client.get("/admin/people/auditentry/?q=eve").content.decode()
    assert client.post(f"/admin/people/auditentry/{entry.pk}/delete/").status_code == 403
    assert client.post("/admin/people/auditentry/add/").status_code == 403
    entry.username = "somebody else"
    with pytest.raises(TypeError):
        entry.save()
    AuditEntry.objects.create(username="=cmd()", action="sign_in")
    chosen = list(AuditEntry.objects.values_list("pk", flat=True))
    file = client.post("/admin/people/auditentry/", {"action": "export", "_selected_action": chosen})
    text = b"".join(file.streaming_content).decode()
    assert "'=cmd()" in text
    assert text.startswith("at,username,action")


def test_account_named_like_an_internal_caller_is_quoted_in_audit_log():
    user = get_user_model().objects.create_user("(command)")
    caller = Caller(kind=CallerKind.PAGE, user=user)
    assert audit.record(caller, "run.terminate").username == '"(command)"'
    assert audit.record(Caller(kind=CallerKind.PAGE), "sign_in", username="(portal)").username == '"(portal)"'
    assert audit.record(command_caller(), "run.terminate").username == "(command)"


def test_old_audit_entries_are_pruned_on_request(capsys):
    now = timezone.now()
    for days in (1, 400):
        AuditEntry.objects.create(username="ada", action="sign_in", at=now - timedelta(days=days))
    call_command("prune", audit_older_than=365, dry_run=True)
    assert AuditEntry.objects.count() == 2
    call_command("prune", audit_older_than=365)
    assert [entry.at.date() for entry in AuditEntry.objects.all()] == [(now - timedelta(days=1)).date()]
    assert "1 audit entries were deleted." in capsys.readouterr().out
