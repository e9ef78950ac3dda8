"""Responses to users and scripts while the database is unavailable."""

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


def test_page_reports_it_and_reloads_itself(reader):
    with connection.execute_wrapper(_refuse):
        response = reader.get("/visualizations/?q=roc")
    assert response.status_code == 503
    assert response["Retry-After"]
    text = response.content.decode()
    assert "The database does not answer" in text
    assert 'http-equiv="refresh"' in text
    assert 'href="/visualizations/?q=roc"' in text


def test_post_is_not_repeated_automatically(reader):
    with connection.execute_wrapper(_refuse):
        response = reader.post("/visualizations/", {"code": "print(1)"})
    assert response.status_code == 503
    assert 'http-equiv="refresh"' not in response.content.decode()


def test_api_returns_database_away(reader):
    with connection.execute_wrapper(_refuse):
        response = reader.get("/api/v1/visualizations")
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "database_away"


@pytest.mark.parametrize("auth", ["password", "local"])
def test_healthz_still_returns_200(settings, auth):
    settings.VIZPORTAL_AUTH = auth
    with connection.execute_wrapper(_refuse):
        assert Client(raise_request_exception=False).get("/healthz").status_code == 200


def test_other_error_returns_500(reader):
    def broken(*_call):
        raise RuntimeError("oops")

    with connection.execute_wrapper(broken):
        assert reader.get("/visualizations/").status_code == 500


def test_page_works_without_collected_static_files(reader, monkeypatch):
    with connection.execute_wrapper(_refuse):
        assert "css/tokens" in reader.get("/visualizations/").content.decode()

        def missing(name):
            raise ValueError(f"Missing staticfiles manifest entry for {name!r}")

        monkeypatch.setattr(views, "static", missing)
        bare = reader.get("/visualizations/")
    assert bare.status_code == 503
    assert "stylesheet" not in bare.content.decode()
    assert "The database does not answer" in bare.content.decode()
