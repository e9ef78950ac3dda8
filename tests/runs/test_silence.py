"""If Kubeflow accepts connections but never responds, one page waits for it and the next ones do not."""

from __future__ import annotations

import pytest

from apps.runs import exceptions
from apps.runs.gateway import gateway_for_service, silence
from apps.runs.gateway.silence import Silences
from tests.runs.mute_server import mute_server
from tests.runs.test_faults import PAGES

GALLERY = ["/visualizations/", "/visualizations/compare/", "/rules/", "/"]


@pytest.fixture
def mute(settings):
    """Serves a Kubeflow that never responds."""
    with mute_server() as server:
        settings.KFP_HOST = server.url
        settings.KFP_TIMEOUT = 0.3
        yield server


def test_first_page_waits_and_later_pages_reuse_its_error(client, mute):
    texts = [client.get(path).content.decode() for path in (*PAGES, *PAGES)]
    assert mute.connections == 1
    for text in texts:
        assert f"Kubeflow at {mute.url} does not answer (timed out after 0.3 s)." in text
        assert "Saved visualizations</a> still open." in text


def test_saved_results_send_no_requests(client, mute):
    assert {path: client.get(path).status_code for path in GALLERY} == dict.fromkeys(GALLERY, 200) | {"/": 302}
    assert mute.connections == 0


def test_retry_sends_a_request_and_redirects_back(client, mute):
    client.get("/runs/?q=x")
    response = client.post("/runs/ask-again", {"next": "/runs/?q=x"})
    assert response.headers["Location"] == "/runs/?q=x"
    client.get("/runs/?q=x")
    assert mute.connections == 2
    assert client.post("/runs/ask-again", {"next": "https://evil.example/"}).headers["Location"] == "/runs/"


def test_retry_in_a_part_sends_a_request(client, mute):
    client.get("/runs/")
    headers = {"HX-Request": "true", "HX-Target": "step-panel"}
    client.get("/runs/r1/steps/train/", headers=headers)
    assert mute.connections == 1
    client.get("/runs/r1/steps/train/", headers={**headers, "X-Vizportal-Retry": "1"})
    assert mute.connections == 2


def test_health_probe_always_sends_a_request(client, kubeflow, mute, settings):
    client.get("/runs/")
    with pytest.raises(exceptions.EndpointSilentError):
        gateway_for_service().health()
    assert mute.connections == 2
    settings.KFP_HOST = kubeflow.url
    assert client.get("/runs/").status_code == 200


def test_silent_lineage_store_is_waited_for_once(client, kubeflow, settings):
    with mute_server() as store:
        settings.KFP_METADATA = store.url.replace("http", "grpc")
        settings.KFP_TIMEOUT = 0.3
        for _ in range(3):
            page = client.get("/runs/r1/")
            assert page.status_code == 200
            assert "the lineage store cannot be read" in page.content.decode()
        assert store.connections == 1
        assert len([path for _, path in kubeflow.requests if path.endswith("/runs/r1")]) == 3


def answered_while_it_waits(silences, now):
    now[0] += 1
    assert not refuses(silences)
    raise exceptions.EndpointSilentError("The host does not answer (timed out after 3 s).")


def silent(silences, call="api"):
    with pytest.raises(exceptions.EndpointSilentError), silences.observed("host", call):
        raise exceptions.EndpointSilentError("The host does not answer (timed out after 3 s).")


def refuses(silences, call="api"):
    try:
        with silences.observed("host", call):
            return False
    except exceptions.EndpointDownError as error:
        assert str(error) == "The host does not answer (timed out after 3 s)."  # noqa: PT017
        return True


def test_one_request_tries_again_after_the_remembered_time(monkeypatch):
    silences = Silences()
    now = [100.0]
    monkeypatch.setattr(silence.time, "monotonic", lambda: now[0])
    silent(silences)
    now[0] += silence.REMEMBERED_S - 0.1
    assert refuses(silences)
    assert refuses(silences, "stream")
    now[0] += 0.2
    with silences.observed("host", "api"):
        assert refuses(silences)
    assert not refuses(silences)


def test_slow_request_does_not_mark_kubeflow_as_silent(monkeypatch):
    silences = Silences()
    now = [100.0]
    monkeypatch.setattr(silence.time, "monotonic", lambda: now[0])
    with pytest.raises(exceptions.EndpointSilentError), silences.observed("host", "api"):
        answered_while_it_waits(silences, now)
    assert not refuses(silences)


def test_slow_stream_or_lineage_does_not_mark_the_api_as_silent():
    silences = Silences()
    silent(silences, "stream")
    assert not refuses(silences)
    silent(silences, "lineage")
    assert refuses(silences, "lineage")
    assert not refuses(silences)
    assert not refuses(silences, "stream")
