"""Authentication by a header that only a trusted proxy may set."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.test import AsyncClient, Client

from apps.accounts.models import AuditEntry

pytestmark = pytest.mark.django_db
ADA = {"kubeflow-userid": "ada@example.org"}


def test_user_named_by_proxy_is_signed_in_and_gets_an_account(header):
    client = Client(**header)
    assert client.get("/visualizations/", headers=ADA).status_code == 200
    user = get_user_model().objects.get()
    assert (user.username, user.email) == ("ada@example.org", "ada@example.org")
    client.get("/visualizations/", headers=ADA)
    assert AuditEntry.objects.filter(action="sign_in").count() == 1


def test_asynchronous_requests_use_the_header_too(header, settings):
    settings.VIZPORTAL_TRUSTED_PROXIES = ["127.0.0.1"]  # address of the asynchronous test client
    ask = async_to_sync(AsyncClient().get)
    assert ask("/visualizations/", headers=ADA).status_code == 200
    assert ask("/visualizations/").status_code == 302
    settings.VIZPORTAL_TRUSTED_PROXIES = ["10.1.0.0/16"]
    assert ask("/visualizations/", headers=ADA).status_code == 302


@pytest.mark.parametrize("address", ["10.2.0.1", "127.0.0.1", "::1", ""])
def test_header_from_untrusted_address_is_ignored(header, address):
    client = Client(REMOTE_ADDR=address)
    answer = client.get("/visualizations/", headers=ADA)
    assert answer.status_code == 302
    page = client.get(answer["Location"], headers=ADA)
    assert page.status_code == 403
    assert "VIZPORTAL_TRUSTED_PROXIES" in page.content.decode()
    assert not get_user_model().objects.exists()


@pytest.mark.parametrize(
    "name", ["REMOTE_USER", "HTTP_REMOTE_USER", "HTTP_VIZPORTAL_TOLD_USER", "vizportal.user_header"]
)
def test_other_header_and_environment_names_are_ignored(header, name):
    assert Client(**header, **{name: "ada@example.org"}).get("/visualizations/").status_code == 302


def test_session_follows_the_header_and_ends_without_it(header):
    client = Client(**header)
    client.get("/visualizations/", headers=ADA)
    assert client.get("/visualizations/").status_code == 302
    client.get("/visualizations/", headers=ADA)
    client.get("/visualizations/", headers={"kubeflow-userid": "bob@example.org"})
    assert client.session["_auth_user_id"] == str(get_user_model().objects.get(username="bob@example.org").pk)


def test_prefix_is_removed_and_groups_determine_the_role(header, settings):
    settings.VIZPORTAL_AUTH_HEADER_PREFIX = "accounts.google.com:"
    settings.VIZPORTAL_AUTH_GROUPS_HEADER = "X-Forwarded-Groups"
    settings.VIZPORTAL_ROLE_GROUPS = {"administrator": ["ml-admins"], "viewer": ["everybody"]}
    client = Client(**header)
    named = {"kubeflow-userid": "accounts.google.com:ada@example.org"}
    client.get("/visualizations/", headers={**named, "X-Forwarded-Groups": "everybody, ml-admins"})
    user = get_user_model().objects.get(username="ada@example.org")
    assert user.is_staff
    assert client.get("/admin/", headers=named).status_code == 200


def test_header_is_ignored_in_other_modes(client, settings):
    settings.VIZPORTAL_AUTH = "password"
    assert client.get("/visualizations/", headers=ADA, REMOTE_ADDR="127.0.0.1").status_code == 302
