"""The list of a person's sign-ins, how they end, and the idle limit of the admin site."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(db):
    make = get_user_model().objects
    return make.create_superuser("ada", "ada@example.org", "pw"), make.create_user("bob", "bob@example.org", "pw")


def browser(name, agent="Firefox", address="192.0.2.1"):
    client = Client(HTTP_USER_AGENT=agent, REMOTE_ADDR=address)
    assert client.post("/login/", {"username": name, "password": "pw"}).status_code == 302
    return client


def is_in(client):
    return client.get("/visualizations/").status_code == 200


def change(client, **content):
    session = client.session
    session.update(content)
    session.save()


def away(client, minutes):
    """Makes the session look idle in the admin site for that many minutes."""
    session = client.session
    session["sign_in"]["at"] -= minutes * 60
    if "admin_at" in session:
        session["admin_at"] -= minutes * 60
    session.save()


def test_user_sees_own_sign_ins_and_signs_out_everywhere_else(people):
    here, there, bobs = browser("ada"), browser("ada", "<Chrome>", "192.0.2.9"), browser("bob", "Opera")
    page = here.get("/account/sign-ins/").content.decode()
    assert "192.0.2.9" in page
    assert "&lt;Chrome&gt;" in page
    assert "Opera" not in page
    assert page.count("(this browser)") == 1
    answer = here.post("/account/sign-ins/", follow=True)
    assert "Signed out everywhere else" in answer.content.decode()
    assert is_in(here)
    assert not is_in(there)
    assert is_in(bobs)
    assert AuditEntry.objects.get(action="sign_out.everywhere").detail == "1 sessions"


def test_sign_ins_page_requires_sign_in(client, people):
    for answer in (client.get("/account/sign-ins/"), client.post("/account/sign-ins/")):
        assert answer["Location"].startswith("/login/")


def test_password_change_ends_all_sessions(people):
    here, there = browser("ada"), browser("ada")
    ada = people[0]
    ada.set_password("pw 2")
    ada.save()
    assert not is_in(here)
    assert not is_in(there)


def test_administrator_and_command_end_a_users_sign_ins(people, capsys):
    ada, bobs = browser("ada"), browser("bob")
    chosen = {"action": "sign_out", "_selected_action": [people[1].pk]}
    assert "Ended 1 sign-ins of bob" in ada.post("/admin/auth/user/", chosen, follow=True).content.decode()
    assert not is_in(bobs)
    bobs = browser("bob")
    call_command("sign_out", "bob")
    assert not is_in(bobs)
    assert is_in(ada)
    call_command("sign_out", everybody=True)
    assert not is_in(ada)
    assert "everybody: " in capsys.readouterr().out
    for wrong in ({}, {"username": "ada", "everybody": True}, {"username": "nobody"}):
        with pytest.raises(CommandError):
            call_command("sign_out", **wrong)


def test_admin_site_requires_sign_in_again_after_an_idle_hour(people):
    client = browser("ada")
    assert client.get("/admin/").status_code == 200
    away(client, 59)
    assert client.get("/admin/").status_code == 200, "that was in time"
    away(client, 59)
    assert client.get("/admin/").status_code == 200, "the last use counts, not the sign-in"
    away(client, 61)
    for path in ("/admin/people/auditentry/?q=x", "/admin/rq/"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login/?next=/admin/"), path
    assert client.post("/admin/auth/user/add/", {"username": "mallory"})["Location"] == "/login/?next=/admin/&again=1"
    assert not get_user_model().objects.filter(username="mallory").exists()
    assert is_in(client)
    assert "Sign in again to administer" in client.get("/login/?next=/admin/&again=1").content.decode()
    back = client.post("/login/?next=/admin/", {"username": "ada", "password": "pw", "next": "/admin/"})
    assert back["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_use_of_portal_does_not_count_as_use_of_admin_site(people, settings):
    settings.VIZPORTAL_ADMIN_IDLE_MINUTES = 5
    client = browser("ada")
    away(client, 6)
    assert is_in(client)
    assert client.get("/admin/").status_code == 302


def test_session_without_recorded_sign_in_must_sign_in_for_admin(people):
    client = browser("ada")
    change(client, sign_in={})
    assert is_in(client)
    assert client.get("/account/sign-ins/").status_code == 200
    assert client.get("/admin/").status_code == 302


def test_admin_site_has_no_idle_limit_without_portal_sign_in(settings, client, header):
    named = {"kubeflow-userid": "ada@example.org"}
    gateway = Client(**header)
    gateway.get("/visualizations/", headers=named)
    get_user_model().objects.update(is_staff=True, is_superuser=True)
    change(gateway, sign_in={})
    assert gateway.get("/admin/", headers=named).status_code == 200
    settings.VIZPORTAL_AUTH = "local"
    assert client.get("/admin/").status_code == 200


def test_expired_sessions_are_pruned(people, capsys):
    browser("ada"), browser("bob")
    Session.objects.filter(pk=Session.objects.first().pk).update(expire_date=timezone.now() - timedelta(minutes=1))
    call_command("prune")
    assert Session.objects.count() == 1
    assert "1 ended sessions" in capsys.readouterr().out
