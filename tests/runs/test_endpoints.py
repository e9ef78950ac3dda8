"""A portal with several endpoints, each with its own address, credential and permissions of each user."""

import itertools
import json

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client, RequestFactory

from apps.accounts.caller import caller_of
from apps.runs import exceptions
from apps.runs.gateway import endpoints, gateway_for, gateway_for_service, gateway_unsealed
from tests.runs.kubeflow import Kubeflow, run_row, with_finished_run
from tests.runs.kubeflow_server import serve

pytestmark = pytest.mark.django_db


@pytest.fixture
def configure(settings):
    """Sets VIZPORTAL_ENDPOINTS."""

    def write(*listed):
        settings.VIZPORTAL_ENDPOINTS = json.dumps(listed)

    return write


@pytest.fixture
def two(configure):
    """Configures two endpoints: "lab" with the run r1, and "prod" with the run r2."""
    with serve(with_finished_run(Kubeflow())) as lab, serve(Kubeflow()) as prod:
        prod.runs = [run_row("r2", display_name="a run of prod")]
        configure(
            {"key": "lab", "host": lab.url, "title": "Laboratory"},
            {"key": "prod", "host": prod.url, "auth": "token", "token": "s3cret"},
        )
        yield lab, prod


@pytest.fixture
def ada():
    return get_user_model().objects.create_user("ada", "ada@example.org")


def request_of(user, path="/runs/", **headers):
    request = RequestFactory().get(path, headers=headers)
    request.user = user
    request.session = {}
    return request


def test_each_endpoint_has_its_own_url_prefix_and_keeps_links_below_it(client, two):
    first, second = client.get("/runs/").content.decode(), client.get("/e/prod/runs/").content.decode()
    assert "a run of prod" not in first
    assert 'href="/e/prod/runs/r2/"' in second
    assert 'href="/e/prod/pipelines/"' in second
    assert 'href="/runs/"' in second  # the way back to the default endpoint
    assert client.get("/e/prod/runs/r2/").status_code == 200
    assert client.get("/runs/r2/").status_code == 404


def test_unconfigured_endpoint_is_not_found(client, two):
    assert client.get("/e/nowhere/runs/").status_code == 404


def test_url_prefix_does_not_leak_into_the_next_request(client, two):
    client.get("/e/prod/runs/")
    assert 'href="/e/prod/pipelines/"' not in client.get("/runs/").content.decode()


def test_each_endpoint_gets_only_its_own_credential(client, two):
    lab, prod = two
    client.get("/runs/")
    client.get("/e/prod/runs/")
    assert {head.get("Authorization") for head in lab.headers} == {None}
    assert {head.get("Authorization") for head in prod.headers} == {"Bearer s3cret"}


def test_api_accepts_known_endpoints_and_refuses_unknown_ones(client, two):
    assert [run["id"] for run in client.get("/api/v1/runs?endpoint=prod").json()["items"]] == ["r2"]
    assert client.get("/api/v1/runs?endpoint=nowhere").status_code == 404


def test_rotated_token_file_is_read_again(configure, tmp_path):
    file = tmp_path / "token"
    file.write_text("first\n")
    with serve(Kubeflow()) as served:
        configure({"key": "a", "host": served.url, "auth": "service-account", "token_file": str(file)})
        gateway_for_service().runs()
        file.write_text("second\n")
        gateway_for_service().runs()
        assert [head.get("Authorization") for head in served.headers] == ["Bearer first", "Bearer second"]


def test_requests_carry_the_users_own_token_cookie_or_header(configure, ada):
    with serve(Kubeflow()) as served:
        configure(
            {"key": "t", "host": served.url, "auth": "person-token", "token_header": "X-Forwarded-Access-Token"},
            {"key": "c", "host": served.url, "auth": "person-cookie", "person_cookies": ["authservice_session"]},
            {"key": "h", "host": served.url, "auth": "person-header", "user_header": "kubeflow-userid"},
        )
        request = request_of(ada, **{"X-Forwarded-Access-Token": "adas", "kubeflow-userid": "forged@example.org"})
        request.COOKIES = {"authservice_session": "c00kie", "sessionid": "the portal's own"}
        request.META["vizportal.user_header"] = "ada@corp"
        for key in ("t", "c", "h"):
            gateway_for(caller_of(request), key).runs()
        token, cookie, header = served.headers
    assert token.get("Authorization") == "Bearer adas"
    assert cookie.get("Cookie") == "authservice_session=c00kie"
    assert header.get("kubeflow-userid") == "ada@corp"


@pytest.mark.parametrize("auth", ["person-token", "person-cookie", "person-header"])
def test_user_without_credential_must_sign_in_and_nothing_is_sent(configure, ada, auth):
    with serve(Kubeflow()) as served:
        configure(
            {"key": "a", "host": served.url, "auth": auth, "person_cookies": ["s"], "user_header": "kubeflow-userid"}
        )
        with pytest.raises(exceptions.NotSignedInError):
            gateway_for(caller_of(request_of(ada, **{"kubeflow-userid": "forged@example.org"})))
        assert served.requests == []


def test_sealed_credential_works_until_it_expires(configure, ada, settings, monkeypatch):
    with serve(Kubeflow()) as served:
        configure({"key": "t", "host": served.url, "auth": "person-token", "token_header": "X-Token"})
        gateway = gateway_for(caller_of(request_of(ada, **{"X-Token": "adas"})))
        sealed = gateway.sealed_credential
        assert "adas" not in sealed
        gateway_unsealed("t", "", sealed, max_age_s=60).runs()
        assert served.headers[-1].get("Authorization") == "Bearer adas"
        with pytest.raises(exceptions.NotSignedInError):
            gateway_unsealed("t", "", sealed, max_age_s=-1)
        settings.SECRET_KEY = "another"
        with pytest.raises(exceptions.NotSignedInError):
            gateway_unsealed("t", "", sealed, max_age_s=60)


def test_repr_contains_no_secrets(configure, ada):
    configure({"key": "a", "host": "http://kubeflow.example", "auth": "token", "token": "s3cret"})
    assert "s3cret" not in repr(endpoints.endpoints())
    assert "s3cret" not in repr(gateway_for(caller_of(request_of(ada))).connection)


def test_namespace_is_chosen_in_the_query_and_remembered(client, configure):
    with serve(with_finished_run(Kubeflow())) as served:
        configure({"key": "a", "host": served.url, "namespaces": ["team-a", "team-b"]})
        client.get("/runs/")
        client.get("/runs/?namespace=team-b")
        client.get("/runs/")
        asked = [query["namespace"] for query in served.queries if "namespace" in query and "filter" in query]
        assert client.get("/runs/?namespace=team-c").status_code == 404
    assert [name for name, _ in itertools.groupby(asked)] == ["team-a", "team-b"]


def test_cached_run_is_not_shown_to_a_user_without_access(client, configure):
    with serve(with_finished_run(Kubeflow())) as served:
        configure({"key": "a", "host": served.url, "auth": "person-token", "token_header": "X-Token"})
        assert client.get("/runs/r1/", headers={"X-Token": "adas"}).status_code == 200
        served.runs = []  # Kubeflow's response to a user without permissions
        other = Client()
        other.force_login(get_user_model().objects.create_user("eve"))
        assert other.get("/runs/r1/", headers={"X-Token": "eves"}).status_code == 404


def test_certificate_bundle_is_used(configure, tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    configure({"key": "a", "host": "https://127.0.0.1:9", "ca_file": str(bundle)})
    assert gateway_for_service().connection.ca_file == str(bundle)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "not JSON"),
        ("{}", "list of objects"),
        ('[{"key": "a"}]', "'host' is missing"),
        ('[{"key": "A b", "host": "http://k"}]', "lower-case"),
        ('[{"key": "a", "host": "ftp://k"}]', "http://"),
        ('[{"key": "a", "host": "http://k", "colour": "red"}]', "unknown 'colour'"),
        ('[{"key": "a", "host": "http://k", "auth": "magic"}]', "must be one of"),
        ('[{"key": "a", "host": "http://k", "auth": "token"}]', "needs 'token_file'"),
        ('[{"key": "a", "host": "http://k", "token_file": "/no/such"}]', "no file"),
        ('[{"key": "a", "host": "http://k", "namespaces": "team"}]', "list of names"),
        ('[{"key": "a", "host": "http://k", "timeout_s": 0}]', "above 0"),
        ('[{"key": "a", "host": "http://k", "metadata": "http://m"}]', "grpc://"),
        ('[{"key": "a", "host": "http://k"}, {"key": "a", "host": "http://l"}]', "same key"),
    ],
)
def test_invalid_setting_raises_improperly_configured(settings, text, words):
    settings.VIZPORTAL_ENDPOINTS = text
    with pytest.raises(ImproperlyConfigured, match=words):
        endpoints.endpoints()


def test_invalid_setting_fails_the_check_command(settings):
    settings.VIZPORTAL_ENDPOINTS = "nonsense"
    with pytest.raises(SystemCheckError, match="VIZPORTAL_ENDPOINTS"):
        call_command("check")
