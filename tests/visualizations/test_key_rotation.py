"""A new SECRET_KEY in an installation that is used: nobody is signed out, nothing that waits is lost."""

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
    """Sets the key in force and the former ones, as a process that starts anew reads them."""

    def use(key, *former):
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = key, list(former)

    use(OLD)
    return use


@pytest.fixture
def signed_in(keys, owner):
    """A browser in which the owner has typed name and password."""
    client = Client()
    assert client.post("/login/", {"username": "owner", "password": "pw"}).status_code == 302
    return client


@pytest.fixture
def waiting(keys, submit, settings):
    """A render that waits in the queue, with its person's sealed credential beside it."""
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


def test_with_the_old_key_as_fallback_sessions_and_waiting_renders_live_on(keys, signed_in, waiting):
    keys(NEW, OLD)
    assert is_in(signed_in)
    assert token_of(waiting) == "s3cret-t0ken"
    # What is sealed and signed from now on needs the old key no longer: the session was signed anew on the way.
    keys(NEW)
    assert is_in(signed_in)


def test_without_it_both_end(keys, signed_in, waiting):
    keys(NEW)
    assert not is_in(signed_in)
    with pytest.raises(NotSignedInError):
        token_of(waiting)


def test_several_replicas_change_over_one_after_the_other(keys, signed_in, waiting):
    """docs/security.md: first everybody knows the new key, then everybody signs with it, then the old one goes."""
    before, between, after = (OLD, NEW), (NEW, OLD), (NEW,)
    for restarted, waits in ((before, (OLD,)), (between, before), (between, between), (after, between)):
        for replica in (restarted, waits, restarted, waits):
            keys(*replica)
            assert is_in(signed_in), f"signed out by a replica with {replica}"
            if replica != after:
                assert token_of(waiting) == "s3cret-t0ken"


def test_a_replica_that_does_not_know_the_new_key_signs_people_out(keys, signed_in):
    """Why the first of the three steps is there."""
    keys(NEW, OLD)
    assert is_in(signed_in)
    keys(OLD)
    assert not is_in(signed_in)


def test_other_things_that_were_signed_stay_good_with_the_fallback_only(keys, owner):
    signed, reset = signing.dumps({"a": 1}), default_token_generator.make_token(owner)
    keys(NEW, OLD)
    assert signing.loads(signed) == {"a": 1}
    assert default_token_generator.check_token(owner, reset)
    keys(NEW)
    with pytest.raises(signing.BadSignature):
        signing.loads(signed)
    assert not default_token_generator.check_token(owner, reset)


def test_a_page_that_was_open_can_still_be_sent(keys, owner):
    client = Client(enforce_csrf_checks=True)
    client.get("/login/")
    token = client.cookies["csrftoken"].value
    keys(NEW, OLD)
    answer = client.post("/login/", {"username": "owner", "password": "pw", "csrfmiddlewaretoken": token})
    assert answer.status_code == 302
    assert get_user_model().objects.get(username="owner").last_login is not None
