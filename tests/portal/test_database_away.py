"""What people and scripts are told while the database does not answer."""

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.test import Client

from vizportal import views

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader():
    client = Client(raise_request_exception=False)
    client.force_login(get_user_model().objects.create_user("reader"))
    return client


def _refuse(*_call):
    raise OperationalError("server closed the connection unexpectedly")


def test_a_page_says_so_and_asks_again_by_itself(reader):
    with connection.execute_wrapper(_refuse):
        response = reader.get("/visualizations/?q=roc")
    assert response.status_code == 503
    assert response["Retry-After"]
    text = response.content.decode()
    assert "The database does not answer" in text
    assert 'http-equiv="refresh"' in text
    assert 'href="/visualizations/?q=roc"' in text


def test_what_was_sent_is_not_sent_again_by_itself(reader):
    with connection.execute_wrapper(_refuse):
        response = reader.post("/visualizations/", {"code": "print(1)"})
    assert response.status_code == 503
    assert 'http-equiv="refresh"' not in response.content.decode()


def test_a_script_gets_its_own_code_for_it(reader):
    with connection.execute_wrapper(_refuse):
        response = reader.get("/api/v1/visualizations")
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "database_away"


@pytest.mark.parametrize("auth", ["password", "local"])
def test_the_process_is_alive_all_the_same(settings, auth):
    settings.VIZPORTAL_AUTH = auth
    with connection.execute_wrapper(_refuse):
        assert Client(raise_request_exception=False).get("/healthz").status_code == 200


def test_our_own_mistake_is_still_a_500(reader):
    def broken(*_call):
        raise RuntimeError("oops")

    with connection.execute_wrapper(broken):
        assert reader.get("/visualizations/").status_code == 500


def test_the_page_looks_like_the_others_and_goes_without_where_nothing_was_collected(reader, monkeypatch):
    with connection.execute_wrapper(_refuse):
        assert "css/tokens" in reader.get("/visualizations/").content.decode()

        def missing(name):
            raise ValueError(f"Missing staticfiles manifest entry for {name!r}")

        monkeypatch.setattr(views, "static", missing)
        bare = reader.get("/visualizations/")
    assert bare.status_code == 503
    assert "stylesheet" not in bare.content.decode()
    assert "The database does not answer" in bare.content.decode()
