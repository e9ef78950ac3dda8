"""Regression tests for access that was once too wide: the queue, Kubeflow's protocol, event streams, cache keys."""

import json
import uuid

import pytest
from django.test import Client, RequestFactory

from apps.accounts.caller import Caller, CallerKind
from apps.accounts.models import AuditEntry
from apps.runs import access
from apps.runs.exceptions import NotSignedInError
from apps.visualizations import selectors
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services import submission
from apps.visualizations.services.requests import VisualizationRequest
from apps.visualizations.views import stream
from tests.callers import caller

pytestmark = pytest.mark.django_db
CUSTOM = {"type": "CUSTOM", "arguments": '{"code": ["1"]}'}


def kubeflows_call(client, version="v2beta1", namespace="team-a", body=None):
    path = f"/apis/{version}/visualizations/{namespace}"
    return client.post(path, json.dumps(body or CUSTOM), content_type="application/json")


def test_queue_only_counts_renders_of_other_namespaces(world, clients):
    """A4: the queue showed arguments, ids and sources of other namespaces' renders."""
    answer = clients["member_b"].get("/api/v1/queue").json()
    assert answer["queued"] == 2
    assert [each["id"] for each in answer["items"]] == [str(world.places["team-b"]["queued"])]
    assert [each["id"] for each in clients["superuser"].get("/api/v1/queue").json()["items"]] == [
        str(place["queued"]) for place in world.places.values()
    ]


@pytest.mark.parametrize("version", ["v1beta1", "v2beta1"])
def test_kfp_protocol_requires_create_permission(world, clients, version):
    """A5: a viewer could run custom code through the protocol."""
    before = Render.objects.count()
    answer = kubeflows_call(clients["viewer_a"], version)
    assert (answer.status_code, answer.json()["code"]) == (403, 7)
    assert "the group Creators" in answer.json()["message"]
    assert Render.objects.count() == before


def test_kfp_protocol_requires_custom_code_setting_and_permission(world, clients, people, settings):
    people["member_a"].groups.clear()
    settings.VIZPORTAL_DEFAULT_ROLE = "creator"
    answer = kubeflows_call(clients["member_a"])
    assert (answer.status_code, "the group Coders" in answer.json()["message"]) == (403, True)
    settings.ALLOW_CUSTOM_VISUALIZATIONS = False
    assert kubeflows_call(clients["superuser"]).status_code == 403
    assert not AuditEntry.objects.filter(action="visualization.create").exists()


def test_kfp_protocol_result_gets_its_namespace_and_audit_entry(world, people):
    asked = Caller(kind=CallerKind.KFP_PROTOCOL, user=people["superuser"], request=RequestFactory().get("/"))
    render = submission.visualization_create_anew(
        asked, VisualizationRequest(type_key="custom", code="1"), uuid.uuid4(), place=("mesh", "team-b")
    )
    assert (render.visualization.endpoint_key, render.visualization.namespace) == ("mesh", "team-b")
    entry = AuditEntry.objects.get(action="visualization.create")
    assert (entry.username, entry.namespace, entry.detail) == ("superuser", "team-b", "custom")


def test_listener_results_are_hidden_with_multi_user_kubeflow(world, people, settings):
    asked = Caller(kind=CallerKind.KFP_PROTOCOL, address="10.0.0.7")
    render = submission.visualization_create_anew(
        asked, VisualizationRequest(type_key="custom", code="1"), uuid.uuid4()
    )
    entry = AuditEntry.objects.get(action="visualization.create")
    assert (entry.username, entry.address) == ("(Kubeflow service)", "10.0.0.7")
    seen = {
        name: selectors.visualizations_visible(caller(user)).filter(pk=render.visualization_id).exists()
        for name, user in people.items()
        if user
    }
    assert [name for name, is_seen in seen.items() if is_seen] == ["superuser"]
    settings.VIZPORTAL_ENDPOINTS = '[{"key": "mesh", "host": "http://k"}]'
    assert selectors.visualizations_visible(caller(people["viewer_a"])).filter(pk=render.visualization_id).exists()


def streamed(user, *ids):
    """Returns the ids of renders whose events the view allows; None if it opens no stream."""
    request = RequestFactory().get("/events/", {"render": [str(each) for each in ids]})
    request.user, request.session = user, {}
    order = stream.StreamOrder()
    request.scope = {stream.SCOPE_KEY: order}
    answer = stream.events(request)
    assert (answer.status_code == 200) == (order.ids is not None)
    return order.ids


def test_event_stream_covers_visible_renders_only(world, people):
    own, others = (world.places[each]["render"] for each in ("team-a", "team-b"))
    assert streamed(people["viewer_a"], own, others, "nonsense") == {str(own)}
    assert streamed(people["viewer_a"], others) is None
    assert streamed(people["viewer_a"]) is None
    assert streamed(people["administrator"]) is None
    assert streamed(people["superuser"]) == frozenset()


def test_result_of_another_namespace_is_not_reused(world, people):
    """The cache key of a source that anyone may name can be the same in two namespaces."""
    receipt = "receipt of team-a"
    assert (
        selectors.render_with_receipt(caller(people["member_b"], request=request_of(people["member_b"])), receipt)
        is None
    )
    mine = caller(people["member_a"], request=request_of(people["member_a"]))
    assert selectors.render_with_receipt(mine, receipt).id == world.places["team-a"]["render"]


def request_of(user):
    request = RequestFactory().get("/")
    request.user, request.session = user, {}
    return request


def test_rerender_is_refused_after_leaving_the_namespace(world, people, clients):
    """The owner still sees the result, but the worker would fetch the current data."""
    place = world.places["team-a"]
    world.kubeflow.rights["member_a@example.org"] = []
    access.cache.clear()
    assert clients["member_a"].get(f"/visualizations/{place['visualization']}/").status_code == 200
    answer = clients["member_a"].post(
        f"/api/v1/visualizations/{place['visualization']}/rerender", "{}", content_type="application/json"
    )
    assert answer.status_code == 404
    assert Visualization.objects.get(pk=place["visualization"]).renders.count() == 1


def test_missing_credential_is_not_cached_as_refusal(world, people, monkeypatch):
    """An API token carries no Kubeflow credential; that must not affect the same person's browser."""
    mine = caller(people["member_a"], request=request_of(people["member_a"]))
    real = access.gateway_for_namespace

    def nothing(*_place):
        raise NotSignedInError("no token")

    monkeypatch.setattr(access, "gateway_for_namespace", nothing)
    assert not access.may_read(mine, "mesh", "team-a")
    monkeypatch.setattr(access, "gateway_for_namespace", real)
    assert access.may_read(mine, "mesh", "team-a")


def test_forbidden_and_missing_runs_look_the_same(world, clients):
    """Pages, comparisons and bulk actions answer the same for forbidden and missing runs."""
    client = clients["member_b"]
    for run_id in ("r-team-a", "r-nowhere"):
        assert client.get(f"/runs/{run_id}/").status_code == 404
        assert client.get(f"/runs/{run_id}/steps/read-data/visualizations/").status_code == 404
        assert client.post("/runs/selection", {"action": "tag", "tag": "x", "run": run_id}).status_code == 404
        page = client.get(f"/runs/compare/?run={run_id}").content.decode()
        assert f"{run_id}: Kubeflow does not have this, or you may not do this with it." in page
        client.post("/runs/selection", {"action": "archive", "run": run_id})
    reasons = AuditEntry.objects.filter(action="run.archive").values_list("outcome", "detail")
    assert set(reasons) == {("refused", "Kubeflow does not have this, or you may not do this with it.")}


def test_django_admin_view_on_site_url_returns_404(clients, people):
    """Django's own view queried a model that has no table and failed with 503."""
    for role in ("administrator", "superuser"):
        assert clients[role].get("/admin/r/1/1/").status_code == 404


def test_oidc_urls_return_404_unless_configured(db):
    for path in ("/oidc/start/", "/oidc/callback/"):
        assert Client().get(path).status_code == 404
