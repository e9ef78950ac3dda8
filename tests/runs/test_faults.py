"""If Kubeflow is down, silent, shows a sign-in page or is something else, a page names the cause. There is no 500."""

from __future__ import annotations

import socket

import pytest
from django.test import RequestFactory

from apps.accounts.caller import caller_of
from apps.runs import exceptions
from apps.runs.gateway import errors, gateway_for

PAGES = ["/runs/", "/runs/r1/", "/runs/r1/steps/train/", "/pipelines/", "/experiments/", "/runs/new/?pipeline=p1"]


@pytest.fixture
def closed_port(settings):
    """Returns an address with no listener."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings.KFP_HOST = f"http://127.0.0.1:{taken.getsockname()[1]}"
        yield


@pytest.fixture
def mute(settings):
    """Serves an address that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.KFP_HOST = f"http://127.0.0.1:{server.getsockname()[1]}"
        settings.KFP_TIMEOUT = 0.3
        yield


@pytest.mark.parametrize("path", PAGES)
def test_unreachable_kubeflow_page_has_host_cause_and_retry(client, closed_port, settings, path):
    response = client.get(path)
    text = response.content.decode()
    assert response.status_code == 503
    assert settings.KFP_HOST in text
    assert "connection refused" in text
    assert "Retry" in text
    assert "Saved visualizations</a> still open" in text


def test_silent_kubeflow_times_out_once(client, mute):
    response = client.get("/runs/")
    assert response.status_code == 503
    assert "timed out after 0.3 s" in response.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_sign_in_page_is_not_read_as_data(client, kubeflow, path):
    kubeflow.page = "<!DOCTYPE html><html>Sign in</html>"
    response = client.get(path)
    assert response.status_code == 502
    assert "sign-in page" in response.content.decode()


@pytest.mark.parametrize("answer", ["[1, 2]", '"text"', "not json at all", "{", '{"runs": [7], "run_id": {}}'])
def test_response_that_is_not_the_api_is_reported(client, kubeflow, answer):
    kubeflow.page = answer
    for path in PAGES:
        assert client.get(path).status_code in {200, 404, 502}, path


def test_htmx_part_shows_the_error_in_its_place(client, closed_port):
    headers = {"HX-Request": "true", "HX-Target": "step-panel"}
    response = client.get("/runs/r1/steps/train/", headers=headers)
    assert response.status_code == 200
    assert "connection refused" in response.content.decode()
    assert "<html" not in response.content.decode()


def test_failed_poll_leaves_the_page_unchanged(client, closed_port):
    response = client.get("/runs/r1/", headers={"HX-Request": "true", "HX-Target": "run-live"})
    assert response.status_code == 503


def test_page_without_kfp_host_names_the_setting(client, settings):
    settings.KFP_HOST = ""
    response = client.get("/runs/")
    assert response.status_code == 503
    assert "KFP_HOST" in response.content.decode()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, exceptions.NotSignedInError),
        (401, exceptions.NotSignedInError),
        (403, exceptions.ForbiddenError),
        (404, exceptions.NotFoundError),
        (400, exceptions.InvalidRequestError),
        (500, exceptions.EndpointError),
        (503, exceptions.EndpointDownError),
    ],
)
def test_http_status_maps_to_an_error_with_kubeflows_message(status, kind):
    body = b'{"error": "long", "code": 3, "message": "long", "details": [{"message": "for people"}]}'
    error = errors.from_status("http://k", status, body)
    assert type(error) is kind
    if status not in {302, 401}:
        assert "for people" in str(error)


def request_of(user):
    """Returns a request of a signed-in user."""
    request = RequestFactory().get("/runs/")
    request.user = user
    return request


def test_user_id_header_is_sent_to_kubeflow(kubeflow, settings, django_user_model, db):
    settings.KFP_USERID_HEADER = "kubeflow-userid"
    user = django_user_model.objects.create_user("eve", "eve@example.org")
    gateway = gateway_for(caller_of(request_of(user)))
    gateway.runs()
    gateway.run_details("r1")
    with gateway.open_artifact("minio://mlpipeline/v2/artifacts/tips/r1/read-data/x/data.csv") as stream:
        stream.read(10)
    assert {head.get("kubeflow-userid") for head in kubeflow.headers} == {"eve@example.org"}


def test_unknown_endpoint_is_not_found(kubeflow, django_user_model, db):
    user = django_user_model.objects.create_user("eve")
    with pytest.raises(exceptions.NotFoundError, match="nowhere"):
        gateway_for(caller_of(request_of(user)), "nowhere")


@pytest.mark.parametrize("uri", ["", "file:///etc/passwd", "minio://", "oci://x/y", "http://[", "data.csv"])
def test_unsupported_artifact_uri_is_refused_without_a_request(gateway, kubeflow, uri):
    with pytest.raises(exceptions.EndpointError), gateway.open_artifact(uri):
        pass
    assert kubeflow.requests == []
