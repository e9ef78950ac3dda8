"""Administrators cannot gain what docs/accounts.md denies them, whatever they submit to the admin site."""

import re
import time

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from apps.accounts import roles
from apps.accounts.models import AuditEntry
from apps.accounts.roles import Role
from apps.visualizations.models import ApiToken
from tests.callers import token_of

pytestmark = pytest.mark.django_db


def account(name, role=Role.NONE, **values):
    user = get_user_model().objects.create_user(name, f"{name}@example.org", "pw", **values)
    roles.role_set(user, role)
    return get_user_model().objects.get(pk=user.pk)


@pytest.fixture
def root():
    return account("root", is_superuser=True)


@pytest.fixture
def administrator():
    """An administrator who also has Django's permissions for accounts."""
    user = account("ada", Role.ADMINISTRATOR)
    given = Permission.objects.filter(codename__in=["add_user", "change_user", "delete_user", "change_group"])
    user.user_permissions.add(*given)
    return get_user_model().objects.get(pk=user.pk)


@pytest.fixture
def client(administrator):
    browser = Client()
    browser.force_login(administrator)
    return browser


def saved(user):
    return get_user_model().objects.get(pk=user.pk)


def change(client, user, **values):
    """Submits the account form as a browser would, with the extra fields of an attacker."""
    groups = [each.pk for each in user.groups.all()]
    fields = {"username": user.username, "email": user.email, "is_active": "on", "groups": groups, **values}
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    return client.post(reverse("admin:auth_user_change", args=[user.pk]), fields | joined)


def test_token_is_created_for_oneself_whatever_the_form_says(client, administrator, root):
    """A6: a token acts as its user, so a token for a superuser would grant superuser access."""
    page = client.post(
        reverse("admin:visualizations_apitoken_add"),
        {"name": "mine", "user": root.pk, "expires_at_0": "", "expires_at_1": ""},
        follow=True,
    ).content.decode()
    assert ApiToken.objects.get().user == administrator
    assert 'name="user"' not in client.get(reverse("admin:visualizations_apitoken_add")).content.decode()
    raw = re.search(r"vzp_[\w-]{40,}", page)[0]
    assert AuditEntry.objects.get(action="token.create").username == "ada"
    assert raw not in str(list(AuditEntry.objects.values()))


def test_administrator_may_revoke_any_token(client, root):
    raw = token_of(root)
    token = ApiToken.objects.get()
    client.post(reverse("admin:visualizations_apitoken_delete", args=[token.pk]), {"post": "yes"})
    assert Client(headers={"Authorization": f"Bearer {raw}"}).get("/api/v1/types").status_code == 401
    entry = AuditEntry.objects.get(action="token.revoke")
    assert (entry.username, entry.detail) == ("ada", "of root")


def test_administrator_cannot_grant_superuser_or_permissions(client, administrator):
    other = account("bob", Role.VIEWER)
    everything = [each.pk for each in Permission.objects.all()]
    for user in (administrator, other):
        answer = change(client, user, is_superuser="on", is_staff="on", user_permissions=everything)
        assert answer.status_code == 302
        after = saved(user)
        assert not after.is_superuser
        assert after.is_staff == user.is_staff
        assert set(after.user_permissions.all()) == set(user.user_permissions.all())


def test_administrator_assigns_only_groups_within_own_permissions(client):
    stronger = Group.objects.create(name="Operators")
    stronger.permissions.add(Permission.objects.get(codename="add_permission"))
    coders = Group.objects.get(name=Role.CODER.group_name)
    bob = account("bob", Role.VIEWER)
    assert change(client, bob, groups=[stronger.pk]).status_code == 200  # the form is shown again with an error
    assert stronger not in saved(bob).groups.all()
    assert change(client, bob, groups=[coders.pk]).status_code == 302
    assert list(saved(bob).groups.all()) == [coders]


def test_account_with_more_permissions_cannot_be_changed_or_signed_out(client, root):
    """Whoever changes a password can sign in as that user."""
    stronger = account("eve", Role.VIEWER)
    stronger.user_permissions.add(Permission.objects.get(codename="add_permission"))
    asleep = account("old", Role.VIEWER, is_active=False)
    asleep.user_permissions.add(Permission.objects.get(codename="add_permission"))
    for user in (root, stronger, asleep):
        Client().force_login(user)
        sessions = Session.objects.count()
        assert change(client, user, email="x@example.org").status_code == 403
        password = reverse("admin:auth_user_password_change", args=[user.pk])
        typed = {"password1": "Long enough 1", "password2": "Long enough 1", "usable_password": "true"}
        assert client.get(password).status_code == 403
        assert client.post(password, typed).status_code == 403
        assert client.post(reverse("admin:auth_user_delete", args=[user.pk]), {"post": "yes"}).status_code == 403
        for action in ("delete_selected", "sign_out"):
            chosen = {"action": action, "_selected_action": [user.pk], "post": "yes"}
            client.post(reverse("admin:auth_user_changelist"), chosen)
        assert saved(user).password == user.password
        assert Session.objects.count() == sessions


def test_only_superusers_change_username_and_email(client, root):
    """Kubeflow identifies people by email address or user name."""
    bob = account("bob", Role.VIEWER)
    change(client, bob, email="chief@example.org", username="chief")
    assert (saved(bob).email, saved(bob).username) == ("bob@example.org", "bob")
    browser = Client()
    browser.force_login(root)
    change(browser, bob, email="robert@example.org", username="robert")
    assert (saved(bob).email, saved(bob).username) == ("robert@example.org", "robert")
    assert client.get(reverse("admin:auth_user_add")).status_code == 403


def test_only_superusers_change_group_permissions(client, administrator, root):
    own = Group.objects.get(name=Role.ADMINISTRATOR.group_name)
    before = set(own.permissions.all())
    sent = {"name": own.name, "permissions": [each.pk for each in Permission.objects.all()]}
    assert client.post(reverse("admin:auth_group_change", args=[own.pk]), sent).status_code == 403
    assert set(own.permissions.all()) == before
    browser = Client()
    browser.force_login(root)
    assert browser.post(reverse("admin:auth_group_change", args=[own.pk]), sent).status_code == 302


def test_account_changes_are_in_the_audit_log(client, root):
    bob = account("bob", Role.VIEWER)
    change(client, bob, first_name="Bob")
    typed = {"password1": "Long enough 1", "password2": "Long enough 1", "usable_password": "true"}
    client.post(reverse("admin:auth_user_password_change", args=[bob.pk]), typed)
    client.post(reverse("admin:auth_user_delete", args=[bob.pk]), {"post": "yes"})
    entries = AuditEntry.objects.filter(action__startswith="account.").order_by("pk")
    found = [(each.action, each.username, each.target) for each in entries]
    assert found == [(f"account.{word}", "ada", str(bob.pk)) for word in ("change", "password", "delete")]


@pytest.mark.parametrize("prefix", ["", "/e/lab"])
def test_staff_without_permission_cannot_use_the_admin_site(prefix, settings):
    """Django admits all staff, and an endpoint's prefix changes the path of the admin site."""
    settings.VIZPORTAL_ENDPOINTS = '[{"key": "first", "host": "http://k"}, {"key": "lab", "host": "http://k"}]'
    staff = account("eve", Role.CODER)
    get_user_model().objects.filter(pk=staff.pk).update(is_staff=True)
    browser = Client()
    browser.force_login(staff)
    for path in ("/admin/", "/admin/rq/", "/admin/rq/queues/0/", "/admin/django_rq/dashboard/", "/admin/auth/user/"):
        assert browser.get(prefix + path).status_code == 403, path


def test_endpoint_prefix_does_not_bypass_admin_sign_in(client, settings):
    settings.VIZPORTAL_ENDPOINTS = '[{"key": "first", "host": "http://k"}, {"key": "lab", "host": "http://k"}]'
    settings.VIZPORTAL_ADMIN_IDLE_MINUTES = 1
    session = client.session
    session["sign_in"] = {"at": time.time() - 3600}
    session["admin_at"] = time.time() - 3600
    session.save()
    for path in ("/admin/", "/e/lab/admin/"):
        assert "again=1" in client.get(path)["Location"], path


def test_queue_changes_are_in_the_audit_log(client, settings):
    for each in settings.RQ_QUEUES.values():
        each["URL"] = "unix:///nowhere/valkey.sock"
    client.raise_request_exception = False
    client.post("/admin/rq/queues/0/empty/")
    entry = AuditEntry.objects.get(action="queue.change")
    assert (entry.username, entry.target) == ("ada", "/admin/rq/queues/0/empty/")


@pytest.mark.parametrize(
    "path",
    [
        "visualizations/apitoken/?user__password__startswith=m",
        "visualizations/visualization/?owner__password__startswith=m",
        "visualizations/render/?requested_by__password__startswith=m",
        "people/auditentry/?user__password__startswith=m",
        "auth/user/?password__startswith=m",
    ],
)
def test_admin_lists_cannot_be_filtered_by_password(path, client):
    """Filtering by a password hash would reveal it letter by letter."""
    assert client.get(f"/admin/{path}").status_code == 400
