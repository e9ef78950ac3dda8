"""A gateway in front says who asks, and only the gateway is believed."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.test import AsyncClient, Client

from apps.accounts.models import AuditEntry

pytestmark = pytest.mark.django_db
ADA = {"kubeflow-userid": "ada@example.org"}


def test_who_the_gateway_names_is_in_and_has_an_account(header):
    client = Client(**header)
    assert client.get("/visualizations/", headers=ADA).status_code == 200
    user = get_user_model().objects.get()
    assert (user.username, user.email) == ("ada@example.org", "ada@example.org")
    client.get("/visualizations/", headers=ADA)
    assert AuditEntry.objects.filter(action="sign_in").count() == 1


def test_the_asynchronous_server_reads_it_too(header, settings):
    settings.VIZPORTAL_TRUSTED_PROXIES = ["127.0.0.1"]  # where the asynchronous test client comes from
    ask = async_to_sync(AsyncClient().get)
    assert ask("/visualizations/", headers=ADA).status_code == 200
    assert ask("/visualizations/").status_code == 302
    settings.VIZPORTAL_TRUSTED_PROXIES = ["10.1.0.0/16"]
    assert ask("/visualizations/", headers=ADA).status_code == 302


@pytest.mark.parametrize("address", ["10.2.0.1", "127.0.0.1", "::1", ""])
def test_from_anywhere_else_the_header_is_nobody_s_word(header, address):
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
def test_no_other_name_for_it_comes_through(header, name):
    assert Client(**header, **{name: "ada@example.org"}).get("/visualizations/").status_code == 302


def test_a_session_ends_with_the_gateway_s_word_and_follows_a_change_of_it(header):
    client = Client(**header)
    client.get("/visualizations/", headers=ADA)
    assert client.get("/visualizations/").status_code == 302
    client.get("/visualizations/", headers=ADA)
    client.get("/visualizations/", headers={"kubeflow-userid": "bob@example.org"})
    assert client.session["_auth_user_id"] == str(get_user_model().objects.get(username="bob@example.org").pk)


def test_the_prefix_is_taken_off_and_groups_give_the_role(header, settings):
    settings.VIZPORTAL_AUTH_HEADER_PREFIX = "accounts.google.com:"
    settings.VIZPORTAL_AUTH_GROUPS_HEADER = "X-Forwarded-Groups"
    settings.VIZPORTAL_ROLE_GROUPS = {"administrator": ["ml-admins"], "viewer": ["everybody"]}
    client = Client(**header)
    named = {"kubeflow-userid": "accounts.google.com:ada@example.org"}
    client.get("/visualizations/", headers={**named, "X-Forwarded-Groups": "everybody, ml-admins"})
    user = get_user_model().objects.get(username="ada@example.org")
    assert user.is_staff
    assert client.get("/admin/", headers=named).status_code == 200


def test_in_other_modes_the_header_means_nothing(client, settings):
    settings.VIZPORTAL_AUTH = "password"
    assert client.get("/visualizations/", headers=ADA, REMOTE_ADDR="127.0.0.1").status_code == 302
