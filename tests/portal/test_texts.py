"""Texts that PostgreSQL cannot store (NUL and lone surrogates) are refused with a message and not with a 500."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client):
    client.force_login(get_user_model().objects.create_superuser("ada"))
    return client


@pytest.mark.parametrize("address", ["/visualizations/?q=a%00b", "/runs/a%00b/", "/visualizations/?owner=%00"])
def test_url_with_nul_returns_400(signed_in, address):
    response = signed_in.get(address)
    assert response.status_code == 400
    assert b"NUL" in response.content


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
@pytest.mark.parametrize("field", ["title", "code", "source"])
def test_json_body_with_nul_or_surrogate_returns_400(signed_in, field, text):
    body = json.dumps({"run_id": "r", "step_id": "s", "type": "table", field: text})
    response = signed_in.post("/api/v1/visualizations", body, content_type="application/json")
    assert response.status_code == 400
    assert "NUL" in response.json()["error"]["message"]


def test_nul_in_nested_arguments_returns_400(signed_in):
    body = json.dumps({"run_id": "r", "step_id": "s", "type": "table", "arguments": {"headers": ["a", {"b\0": 1}]}})
    response = signed_in.post("/api/v1/visualizations", body, content_type="application/json")
    assert response.status_code == 400


def test_form_with_nul_gets_a_message():
    response = Client().post("/login/", {"username": "a\0", "password": "x"})
    assert response.status_code == 200
    assert "Null characters are not allowed" in response.content.decode()
