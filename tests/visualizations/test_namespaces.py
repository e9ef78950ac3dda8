"""Saved results of a multi-user Kubeflow are shown to their owner and to readers of the namespace."""

import json
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model

from apps.runs import access
from apps.runs.exceptions import EndpointDownError, ForbiddenError
from apps.visualizations.models import Render, Visualization

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kubeflow_rights(settings, monkeypatch):
    """Who may read which namespace: {user name: {namespace}}. If `error` is set, Kubeflow raises it instead."""
    settings.VIZPORTAL_ENDPOINTS = json.dumps(
        [{"key": "mesh", "host": "http://kubeflow.example", "namespaces": ["team-a", "team-b"]}]
    )
    access.cache.clear()
    rights = SimpleNamespace(of={}, asked=[], error=None)

    def gateway(request, key, namespace):
        def runs(**_question):
            rights.asked.append((request.user.username, key, namespace))
            if rights.error:
                raise rights.error
            if namespace not in rights.of.get(request.user.username, set()):
                raise ForbiddenError("not yours")

        return SimpleNamespace(runs=runs)

    monkeypatch.setattr(access, "gateway_for_namespace", gateway)
    return rights


@pytest.fixture
def stranger(db):
    return get_user_model().objects.create_user("stranger")


@pytest.fixture
def saved(owner):
    """Returns the owner's result of a run in team-a."""
    found = Visualization.objects.create(
        title="their curve", type_key="table", endpoint_key="mesh", namespace="team-a", run_id="r", owner=owner
    )
    render = Render.objects.create(
        visualization=found, number=1, code="", type_version="1", environment="base", timeout_s=1
    )
    found.latest = render
    found.save()
    return found


def paths(saved):
    return [
        f"/visualizations/{saved.id}/",
        f"/api/v1/visualizations/{saved.id}",
        f"/api/v1/renders/{saved.latest_id}",
        f"/renders/{saved.latest_id}/content",
        f"/renders/{saved.latest_id}/download.html",
    ]


def test_result_of_unreadable_namespace_is_hidden_everywhere(kubeflow_rights, saved, browser, stranger):
    kubeflow_rights.of = {stranger.username: {"team-b"}}
    client = browser(stranger)
    assert {path: client.get(path).status_code for path in paths(saved)} == dict.fromkeys(paths(saved), 404)
    assert "their curve" not in client.get("/visualizations/").content.decode()
    assert client.get("/api/v1/visualizations").json()["items"] == []


def test_reader_of_namespace_sees_result_with_one_kubeflow_request(kubeflow_rights, saved, browser, reader):
    kubeflow_rights.of = {reader.username: {"team-a"}}
    client = browser(reader)
    assert client.get(f"/visualizations/{saved.id}/").status_code == 200
    assert "their curve" in client.get("/visualizations/").content.decode()
    assert len(kubeflow_rights.asked) == 1


def test_owner_always_sees_own_result(kubeflow_rights, saved, browser, owner):
    assert browser(owner).get(f"/visualizations/{saved.id}/").status_code == 200


def test_last_answer_holds_while_kubeflow_is_down(kubeflow_rights, saved, browser, reader, stranger, monkeypatch):
    kubeflow_rights.of = {reader.username: {"team-a"}}
    assert browser(reader).get(f"/visualizations/{saved.id}/").status_code == 200
    kubeflow_rights.error = EndpointDownError("down")
    monkeypatch.setattr(access, "FRESH_S", -1)
    assert browser(reader).get(f"/visualizations/{saved.id}/").status_code == 200
    assert browser(stranger).get(f"/visualizations/{saved.id}/").status_code == 404


def test_results_without_namespace_are_visible_to_all(kubeflow_rights, saved, browser, stranger):
    Visualization.objects.filter(id=saved.id).update(namespace="")
    assert browser(stranger).get(f"/visualizations/{saved.id}/").status_code == 200
