"""Ways in that once showed, or did, more than the person might: the queue, Kubeflow's call, event streams, receipts."""

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


def test_the_queue_shows_others_renders_as_numbers(world, clients):
    """A4: arguments, ids and sources of another namespace's renders were in it."""
    answer = clients["member_b"].get("/api/v1/queue").json()
    assert answer["queued"] == 2
    assert [each["id"] for each in answer["items"]] == [str(world.places["team-b"]["queued"])]
    assert [each["id"] for each in clients["superuser"].get("/api/v1/queue").json()["items"]] == [
        str(place["queued"]) for place in world.places.values()
    ]


@pytest.mark.parametrize("version", ["v1beta1", "v2beta1"])
def test_kubeflows_call_takes_the_right_to_create(world, clients, version):
    """A5: a viewer could run custom code through it."""
    before = Render.objects.count()
    answer = kubeflows_call(clients["viewer_a"], version)
    assert (answer.status_code, answer.json()["code"]) == (403, 7)
    assert "the group Creators" in answer.json()["message"]
    assert Render.objects.count() == before


def test_kubeflows_call_takes_the_gate_and_the_right_to_custom_code(world, clients, people, settings):
    people["member_a"].groups.clear()
    settings.VIZPORTAL_DEFAULT_ROLE = "creator"
    answer = kubeflows_call(clients["member_a"])
    assert (answer.status_code, "the group Coders" in answer.json()["message"]) == (403, True)
    settings.ALLOW_CUSTOM_VISUALIZATIONS = False
    assert kubeflows_call(clients["superuser"]).status_code == 403
    assert not AuditEntry.objects.filter(action="visualization.create").exists()


def test_what_comes_of_kubeflows_call_belongs_to_its_namespace_and_is_written_down(world, people):
    asked = Caller(kind=CallerKind.KFP_PROTOCOL, user=people["superuser"], request=RequestFactory().get("/"))
    render = submission.visualization_create_anew(
        asked, VisualizationRequest(type_key="custom", code="1"), uuid.uuid4(), place=("mesh", "team-b")
    )
    assert (render.visualization.endpoint_key, render.visualization.namespace) == ("mesh", "team-b")
    entry = AuditEntry.objects.get(action="visualization.create")
    assert (entry.username, entry.namespace, entry.detail) == ("superuser", "team-b", "custom")


def test_what_the_listener_saved_is_nobodys_to_see_where_kubeflow_divides_people(world, people, settings):
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
    """Returns which renders' events the view lets through; None where there is no stream."""
    request = RequestFactory().get("/events/", {"render": [str(each) for each in ids]})
    request.user, request.session = user, {}
    order = stream.StreamOrder()
    request.scope = {stream.SCOPE_KEY: order}
    answer = stream.events(request)
    assert (answer.status_code == 200) == (order.ids is not None)
    return order.ids


def test_an_event_stream_tells_of_renders_that_one_may_see(world, people):
    own, others = (world.places[each]["render"] for each in ("team-a", "team-b"))
    assert streamed(people["viewer_a"], own, others, "nonsense") == {str(own)}
    assert streamed(people["viewer_a"], others) is None
    assert streamed(people["viewer_a"]) is None
    assert streamed(people["administrator"]) is None
    assert streamed(people["superuser"]) == frozenset()


def test_a_saved_result_of_another_namespace_answers_no_request(world, people):
    """The receipt of a source that anybody may name can be the same in two namespaces."""
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


def test_who_left_a_namespace_reads_its_data_no_more_by_rendering_again(world, people, clients):
    """The owner still sees what they made, but the worker would fetch what is there now."""
    place = world.places["team-a"]
    world.kubeflow.rights["member_a@example.org"] = []
    access.cache.clear()
    assert clients["member_a"].get(f"/visualizations/{place['visualization']}/").status_code == 200
    answer = clients["member_a"].post(
        f"/api/v1/visualizations/{place['visualization']}/rerender", "{}", content_type="application/json"
    )
    assert answer.status_code == 404
    assert Visualization.objects.get(pk=place["visualization"]).renders.count() == 1


def test_a_credential_that_is_missing_says_nothing_of_the_right(world, people, monkeypatch):
    """A script's token brings no credential of its person's; their browser must not be refused because of it."""
    mine = caller(people["member_a"], request=request_of(people["member_a"]))
    real = access.gateway_for_namespace

    def nothing(*_place):
        raise NotSignedInError("no token")

    monkeypatch.setattr(access, "gateway_for_namespace", nothing)
    assert not access.may_read(mine, "mesh", "team-a")
    monkeypatch.setattr(access, "gateway_for_namespace", real)
    assert access.may_read(mine, "mesh", "team-a")


def test_whether_a_run_exists_beyond_ones_rights_is_not_told(world, clients):
    """A refusal and an absence look the same: pages, the comparison, and what is done to several runs."""
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


def test_the_address_of_any_row_of_any_table_is_none_of_the_portals(clients, people):
    """Django's own view asked the table of a model that has none: 503."""
    for role in ("administrator", "superuser"):
        assert clients[role].get("/admin/r/1/1/").status_code == 404


def test_there_is_no_sign_in_by_openid_connect_where_it_is_not_set_up(db):
    for path in ("/oidc/start/", "/oidc/callback/"):
        assert Client().get(path).status_code == 404
