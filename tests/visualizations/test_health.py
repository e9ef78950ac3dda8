"""/healthz and /readyz, for the monitoring system, administrators and others."""

import json
import threading

import pytest
from django.test import Client

from apps.runs.exceptions import EndpointDownError
from apps.visualizations.jobs import RenderWorker
from vizportal import health

pytestmark = pytest.mark.django_db(transaction=True)


class Gateway:
    error = None

    def health(self):
        if self.error:
            raise self.error


@pytest.fixture(autouse=True)
def gateway(monkeypatch, settings):
    settings.KFP_HOST = "http://kubeflow.example"
    settings.VIZPORTAL_METRICS_TOKEN = "of the monitoring system"
    found = Gateway()
    monkeypatch.setattr(health, "gateway_for_service", lambda _key: found)
    monkeypatch.setattr(health, "kubeflow_check", health.KubeflowCheck())
    return found


def ready(client=None):
    """What the monitoring system, or the given client, gets from /readyz."""
    client = client or Client(headers={"Authorization": "Bearer of the monitoring system"})
    response = client.get("/readyz")
    return response.status_code, response.json()


def test_healthz_is_public_and_works_when_everything_is_down(no_queue):
    response = Client().get("/healthz")
    assert (response.status_code, response.content) == (200, b"alive\n")


def test_readyz_reports_every_part(queue, settings):
    worker = RenderWorker([queue], connection=queue.connection)
    worker.register_birth()
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    status, answer = ready()
    worker.register_death()
    assert (status, answer["status"]) == (200, "ok")
    assert answer["database"]["ok"]
    assert answer["queue"]["ok"]
    assert answer["workers"]["count"] == 1
    assert answer["kubeflow"] == {"host": "http://kubeflow.example", "ok": True, "message": "", "embedded": False}
    assert answer["custom_visualizations"] is True
    assert {"mode", "gaps"} <= set(answer["sandbox"])
    assert [each["key"] for each in answer["environments"]] == ["base", "tfx"]


def test_readyz_is_degraded_but_200_without_workers_and_kubeflow(gateway):
    gateway.error = EndpointDownError("Kubeflow at http://kubeflow.example does not answer.")
    status, answer = ready()
    assert (status, answer["status"], answer["workers"]["count"]) == (200, "degraded", 0)
    assert answer["kubeflow"]["message"] == str(gateway.error)


def test_killed_worker_is_not_counted(queue):
    worker = RenderWorker([queue], connection=queue.connection)
    worker.register_birth()
    queue.connection.delete(worker.key)
    assert ready()[1]["workers"]["count"] == 0


def test_readyz_is_503_without_queue_server_and_names_no_host(no_queue):
    status, answer = ready()
    assert (status, answer["status"], answer["queue"]["ok"]) == (503, "degraded", False)
    assert "sock" not in str(answer["queue"])


def test_unresponsive_results_store_does_not_delay_readyz(client, monkeypatch):
    """The web process stays ready, since pages that need no result still open."""
    answered = threading.Event()
    monkeypatch.setattr(health, "RESULTS_WAIT_S", 0.05)
    monkeypatch.setattr(health.default_storage, "exists", lambda _name: answered.wait(30))
    try:
        _status, answer = ready()
    finally:
        answered.set()
    assert answer["results"] == {"ok": False, "message": "does not answer in time"}


def test_readyz_hides_machine_details_from_non_administrators(gateway, browser, owner, queue):
    """Hosts, machines, versions and messages are shown to administrators only."""
    gateway.error = EndpointDownError("Kubeflow at http://kubeflow.example does not answer: connect ETIMEDOUT 10.1.2.3")
    host = {"machine": "m1", "mode": "landlock", "gaps": ["tcp"], "termination": "group"}
    queue.connection.set("vizportal:host:m1:base", json.dumps(host))
    for client in (Client(), browser(owner), Client(headers={"Authorization": "Bearer wrong"})):
        status, answer = ready(client)
        assert (status, answer) == (
            200,
            {
                "status": "degraded",
                "database": {"ok": True},
                "queue": {"ok": True, "paused": []},
                "results": {"ok": True},
                "workers": {"count": 0, "paused": 0},
                "kubeflow": {"ok": False, "host": "http://kubeflow.example", "embedded": False},
                "sandbox": {"mode": "landlock", "termination": ["group"]},
            },
        )


def test_readyz_shows_details_to_administrators_and_local_user(browser, admin, settings):
    assert "environments" in ready(browser(admin))[1]
    settings.VIZPORTAL_AUTH = "local"
    assert "environments" in ready(Client())[1]
