"""Rotating SECRET_KEY in a live installation signs nobody out and loses no queued render."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.test import Client

from apps.runs.entities import Endpoint
from apps.runs.exceptions import NotSignedInError
from apps.runs.gateway.connection import Connection
from apps.runs.gateway.credential_encryption import seal
from apps.visualizations.models import Render
from apps.visualizations.services import credentials

pytestmark = pytest.mark.django_db
OLD, NEW = "the old key of this installation", "the new key of this installation"


@pytest.fixture
def keys(settings):
    """Sets the current and the former keys, as a restarted process reads them."""

    def use(key, *former):
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = key, list(former)

    use(OLD)
    return use


@pytest.fixture
def signed_in(keys, owner):
    """A client in which the owner signed in with name and password."""
    client = Client()
    assert client.post("/login/", {"username": "owner", "password": "pw"}).status_code == 302
    return client


@pytest.fixture
def waiting(keys, submit, settings):
    """A queued render with the sealed credential of its person."""
    listed = [{"key": "default", "host": "http://kubeflow.example", "auth": "person-token", "token_header": "X-Token"}]
    settings.VIZPORTAL_ENDPOINTS = json.dumps(listed)
    render = Render.objects.get(id=submit().render.id)
    place = Endpoint(key="default", host="http://kubeflow.example")
    credentials.credential_keep(render, seal(Connection(endpoint=place, person="owner", token="s3cret-t0ken")))
    return render


def is_in(client):
    return client.get("/visualizations/").status_code == 200


def token_of(render):
    return credentials.render_gateway(render).connection.token


def test_sessions_and_queued_renders_survive_with_old_key_as_fallback(keys, signed_in, waiting):
    keys(NEW, OLD)
    assert is_in(signed_in)
    assert token_of(waiting) == "s3cret-t0ken"
    # The session has been signed again with the new key, so it no longer needs the old one.
    keys(NEW)
    assert is_in(signed_in)


def test_sessions_and_sealed_credentials_end_without_the_old_key(keys, signed_in, waiting):
    keys(NEW)
    assert not is_in(signed_in)
    with pytest.raises(NotSignedInError):
        token_of(waiting)


def test_rolling_key_change_over_replicas_signs_nobody_out(keys, signed_in, waiting):
    """The steps of docs/security.md: all replicas know the new key, all sign with it, all drop the old one."""
    before, between, after = (OLD, NEW), (NEW, OLD), (NEW,)
    for restarted, waits in ((before, (OLD,)), (between, before), (between, between), (after, between)):
        for replica in (restarted, waits, restarted, waits):
            keys(*replica)
            assert is_in(signed_in), f"signed out by a replica with {replica}"
            if replica != after:
                assert token_of(waiting) == "s3cret-t0ken"


def test_replica_without_the_new_key_signs_people_out(keys, signed_in):
    """The reason for the first of the three steps."""
    keys(NEW, OLD)
    assert is_in(signed_in)
    keys(OLD)
    assert not is_in(signed_in)


def test_other_signed_values_stay_valid_only_with_fallback(keys, owner):
    signed, reset = signing.dumps({"a": 1}), default_token_generator.make_token(owner)
    keys(NEW, OLD)
    assert signing.loads(signed) == {"a": 1}
    assert default_token_generator.check_token(owner, reset)
    keys(NEW)
    with pytest.raises(signing.BadSignature):
        signing.loads(signed)
    assert not default_token_generator.check_token(owner, reset)


def test_form_opened_before_key_change_can_be_submitted(keys, owner):
    client = Client(enforce_csrf_checks=True)
    client.get("/login/")
    token = client.cookies["csrftoken"].value
    keys(NEW, OLD)
    answer = client.post("/login/", {"username": "owner", "password": "pw", "csrfmiddlewaretoken": token})
    assert answer.status_code == 302
    assert get_user_model().objects.get(username="owner").last_login is not None
