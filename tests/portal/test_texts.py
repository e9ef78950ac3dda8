"""Texts that no PostgreSQL keeps: NUL and lone halves of surrogate pairs are refused with words, never a 500."""

import json

import pytest
from django.contrib.auth import get_user_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client):
    client.force_login(get_user_model().objects.create_superuser("ada"))
    return client


@pytest.mark.parametrize("address", ["/visualizations/?q=a%00b", "/runs/a%00b/", "/visualizations/?owner=%00"])
def test_an_address_with_a_nul_is_a_bad_request(signed_in, address):
    response = signed_in.get(address)
    assert response.status_code == 400
    assert b"NUL" in response.content


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
@pytest.mark.parametrize("field", ["title", "code", "source"])
def test_a_body_with_such_a_text_is_refused(signed_in, field, text):
    body = json.dumps({"run_id": "r", "step_id": "s", "type": "table", field: text})
    response = signed_in.post("/api/v1/visualizations", body, content_type="application/json")
    assert response.status_code == 400
    assert "NUL" in response.json()["error"]["message"]


def test_so_it_is_deep_in_the_arguments(signed_in):
    body = json.dumps({"run_id": "r", "step_id": "s", "type": "table", "arguments": {"headers": ["a", {"b\0": 1}]}})
    response = signed_in.post("/api/v1/visualizations", body, content_type="application/json")
    assert response.status_code == 400


def test_a_form_with_a_nul_gets_its_own_words(signed_in):
    response = signed_in.post("/login/", {"username": "a\0", "password": "x"})
    assert response.status_code < 500
