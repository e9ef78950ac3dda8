"""The REST API: requests, errors, authentication, pagination and its OpenAPI document."""

import json
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.runs.entities import Run, RunDetails, State, Step
from apps.runs.exceptions import EndpointDownError, EndpointError, ForbiddenError, NotSignedInError
from apps.visualizations.models import ApiToken, Visualization
from apps.visualizations.states import RenderState
from tests.callers import token_of

pytestmark = pytest.mark.django_db(transaction=True)
ASK = {"run_id": "r1", "step_id": "s1", "artifact": "predictions", "type": "TABLE"}


@pytest.fixture
def client(owner, browser):
    return browser(owner)


@pytest.fixture
def post(client, kubeflow):
    def send(path="visualizations", body=None, **headers):
        return client.post(f"/api/v1/{path}", json.dumps(body or {}), content_type="application/json", **headers)

    return send


def error(response, status, code):
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"].startswith("application/json")
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) <= {"code", "message", "fields"}
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    return body["error"]


def test_request_is_queued_rendered_and_reused(post, client, work, row):
    asked = post(body={**ASK, "title": "Scores"})
    assert asked.status_code == 202
    made = asked.json()
    assert made["render"]["state"] == "queued"
    assert made["render"]["position"] == 1
    assert asked.headers["Location"] == f"/api/v1/renders/{made['render']['id']}"
    work()
    render = client.get(asked.headers["Location"]).json()
    assert (render["state"], render["cell"], render["cells"], render["position"]) == ("succeeded", 2, 2, None)
    assert render["html_bytes"] == len(b"<p>picture</p>")
    content = client.get(render["content_url"], headers={"Sec-Fetch-Dest": "iframe"})
    assert b"".join(content.streaming_content) == b"<p>picture</p>"
    again = post(body=ASK)
    assert again.status_code == 200
    assert (again.json()["id"], again.json()["render"]["id"]) == (made["id"], render["id"])
    forced = post(body={**ASK, "force": True})
    assert (forced.status_code, forced.json()["render"]["number"]) == (202, 2)


def test_null_fields_count_as_omitted(post):
    nothing = dict.fromkeys(["source", "arguments", "code", "title", "timeout_s", "endpoint"])
    assert post(body={**ASK, **nothing}).status_code == 202


def test_api_lists_runs_and_their_steps(client, kubeflow, post):
    post(body=ASK)
    listed = client.get("/api/v1/runs?q=taxi&page_size=5").json()
    assert set(listed) == {"items", "next"}
    assert (listed["items"][0]["id"], listed["items"][0]["visualizations"], listed["next"]) == ("r1", 1, None)
    [step] = client.get("/api/v1/runs/r1").json()["steps"]
    assert {"id", "name", "state", "parent_id", "inputs", "outputs", "artifacts"} <= set(step)
    assert set(step["artifacts"][0]) == {"id", "name", "type", "uri", "direction", "metadata"}


def test_non_finite_numbers_are_returned_as_strings(client, kubeflow, monkeypatch):
    values = {"loss": float("nan"), "all": [float("inf"), {"low": -float("inf")}], "rows": 244}
    step = Step(id="train", name="train", task_name="train", state=State.SUCCEEDED, inputs=values, outputs={"a": 0.5})
    run = Run(id="r1", name="r1", state=State.SUCCEEDED, parameters=values)
    details = RunDetails(run=run, steps=(step,), notice="The lineage store cannot be read.")
    monkeypatch.setattr(kubeflow, "run_details", lambda _run_id: details, raising=False)

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    answer = json.loads(client.get("/api/v1/runs/r1").content, parse_constant=refuse)
    shown = {"loss": "NaN", "all": ["Infinity", {"low": "-Infinity"}], "rows": 244}
    assert (answer["parameters"], answer["steps"][0]["inputs"]) == (shown, shown)
    assert answer["notice"] == "The lineage store cannot be read."


def test_types_include_their_schemas(client):
    items = {each["key"]: each for each in client.get("/api/v1/types").json()["items"]}
    assert {"roc_curve", "table", "confusion_matrix"} <= set(items)
    assert items["table"]["schema"]["type"] == "object"
    assert items["table"]["environment"] == "base"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "../../x"}, "type"),
        ({"type": 3}, "type"),
        ({"run_id": None}, "run_id"),
        ({"run_id": ""}, "run_id"),
        ({"step_id": ""}, "step_id"),
        ({"run_id": "", "step_id": "", "artifact": None}, "source"),
        ({"artifact": "nothing"}, "artifact"),
        ({"arguments": {"nothing": 1}}, "arguments.nothing"),
        ({"arguments": []}, "arguments"),
        ({"timeout_s": 1e6}, "timeout_s"),
        ({"nothing": 1}, "nothing"),
        ({"source": "s3://b/../x"}, "source"),
    ],
)
def test_invalid_field_is_named_in_the_error(post, change, field):
    response = post(body={**ASK, **change})
    assert list(error(response, 400, response.json()["error"]["code"])["fields"]) == [field]
    assert Visualization.objects.count() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"arguments": {"x": NaN}}',
        b'{"arguments": {"x": 1e999}}',
        b'{"arguments": {"x": -Infinity}}',
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 100_000,
        b'{"x": "' + b"y" * 10_000_000 + b'"}',
        b'{"x": "' + b"y" * 1_500_000 + b'"}',
        b'{"x": ' + b"9" * 5000 + b"}",
    ],
)
def test_invalid_bodies_return_400(client, kubeflow, body):
    response = client.post("/api/v1/visualizations", body, content_type="application/json")
    assert response.status_code == 400
    assert set(response.json()) == {"error"}


def test_anonymous_request_returns_401_everywhere(kubeflow, submit):
    made = submit()
    stranger = Client()
    paths = ["runs", "runs/r1", "types", "visualizations", f"visualizations/{made.visualization.id}"]
    paths += [f"renders/{made.render.id}", "queue"]
    for path in paths:
        error(stranger.get(f"/api/v1/{path}"), 401, "not_signed_in")
    for path in (
        "visualizations",
        f"renders/{made.render.id}/cancel",
        f"visualizations/{made.visualization.id}/rerender",
    ):
        error(stranger.post(f"/api/v1/{path}", "{}", content_type="application/json"), 401, "not_signed_in")


def test_token_acts_as_its_user(owner, kubeflow, work):
    raw = token_of(owner)
    token = ApiToken.objects.get()
    script = Client(headers={"Authorization": f"Bearer {raw}"})
    made = script.post("/api/v1/visualizations", json.dumps(ASK), content_type="application/json")
    assert made.json()["owner"] == "owner"
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert raw not in str(ApiToken.objects.values())


def test_invalid_tokens_are_refused_even_with_a_session(owner, client):
    expired = token_of(owner, "old", expires_at=timezone.now() - timedelta(seconds=1))
    for raw in (expired, "vzp_nothing", ""):
        error(client.get("/api/v1/types", headers={"Authorization": f"Bearer {raw}"}), 401, "not_signed_in")
    raw = token_of(owner, "new")
    owner.is_active = False
    owner.save()
    error(Client().get("/api/v1/types", headers={"Authorization": f"Bearer {raw}"}), 401, "not_signed_in")


def test_cross_site_requests_are_refused(post, client, kubeflow):
    error(post(body=ASK, headers={"Sec-Fetch-Site": "cross-site"}), 403, "cross_site")
    error(post(body=ASK, headers={"Origin": "https://evil.example"}), 403, "cross_site")
    error(post(body=ASK, headers={"Origin": "null"}), 403, "cross_site")
    form = client.post("/api/v1/visualizations", json.dumps(ASK), content_type="text/plain")
    error(form, 400, "not_json")
    assert post(body=ASK, headers={"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}).status_code == 202


def test_custom_code_returns_403_when_switched_off(post, settings):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = False
    error(post(body={**ASK, "type": "CUSTOM", "code": "print(1)"}), 403, "custom_off")


def test_unknown_objects_return_404(client, post):
    nobody = uuid.uuid4()
    for path in (f"visualizations/{nobody}", f"renders/{nobody}", "renders/nonsense", "runs/nothing", "nothing/at/all"):
        error(client.get(f"/api/v1/{path}"), 404, "not_found")
    error(post(body={**ASK, "run_id": "nothing"}), 404, "not_found")
    error(post(f"renders/{nobody}/cancel"), 404, "not_found")
    error(client.delete(f"/api/v1/visualizations/{nobody}"), 404, "not_found")


def test_unsupported_method_returns_405_in_standard_shape(client):
    error(client.put("/api/v1/runs"), 405, "method_not_allowed")


@pytest.mark.parametrize(
    ("cause", "status", "code"),
    [
        (EndpointDownError("Down."), 503, "endpoint_down"),
        (EndpointError("Strange."), 502, "endpoint_error"),
        (ForbiddenError("No."), 404, "not_found"),
        (NotSignedInError("Who?"), 502, "kubeflow_sign_in"),
    ],
)
def test_kubeflow_errors_are_mapped_and_saved_results_still_open(client, kubeflow, submit, cause, status, code):
    made = submit()
    kubeflow.error = cause
    for path in ("runs", "runs/r1"):
        error(client.get(f"/api/v1/{path}"), status, code)
    assert client.get(f"/api/v1/visualizations/{made.visualization.id}").status_code == 200


def test_internal_error_returns_500_without_details(client, kubeflow, caplog):
    kubeflow.error = RuntimeError("secret")
    client.raise_request_exception = False
    found = error(client.get("/api/v1/runs"), 500, "internal_error")
    assert "secret" not in found["message"]


def test_cancel_rerender_and_delete_are_for_the_owner(post, client, browser, reader, work, row):
    made = post(body=ASK).json()
    other = browser(reader)
    changing = {"content_type": "application/json"}
    cancel = f"/api/v1/renders/{made['render']['id']}/cancel"
    rerender = f"/api/v1/visualizations/{made['id']}/rerender"
    error(other.post(cancel, **changing), 403, "not_allowed")
    error(other.post(rerender, **changing), 403, "not_allowed")
    error(other.delete(f"/api/v1/visualizations/{made['id']}"), 403, "not_allowed")
    error(client.post(rerender, **changing), 409, "wrong_state")
    for _ in range(2):
        assert client.post(cancel, **changing).json()["state"] == RenderState.CANCELLED
    again = post(f"visualizations/{made['id']}/rerender", {"timeout_s": 9})
    assert (again.status_code, again.json()["render"]["timeout_s"]) == (202, 9)
    assert client.delete(f"/api/v1/visualizations/{made['id']}").status_code == 204
    error(client.get(f"/api/v1/visualizations/{made['id']}"), 404, "not_found")


def test_too_many_queued_renders_return_429(post, settings):
    settings.VIZPORTAL_MAX_QUEUED_PER_USER = 1
    post(body=ASK)
    error(post(body={**ASK, "title": "another"}), 429, "too_many_queued")


def test_pagination_of_visualizations_is_complete_and_unique(client, submit):
    made = [str(submit(title=f"t{number}", force=True).visualization.id) for number in range(5)]
    seen, token = [], ""
    for _ in range(3):
        page = client.get(f"/api/v1/visualizations?page_size=2&page_token={token}").json()
        seen += [item["id"] for item in page["items"]]
        token = page["next"]
    assert token is None
    assert seen == made[::-1]
    for bad in ("x", "W10=", "bnVsbA=="):
        error(client.get(f"/api/v1/visualizations?page_token={bad}"), 400, "invalid")
    assert client.get("/api/v1/visualizations?q=t3").json()["items"][0]["title"] == "t3"
    error(client.get("/api/v1/visualizations?page_size=0"), 400, "invalid")
    error(client.get("/api/v1/visualizations?state=nonsense"), 400, "invalid")


def test_queue_counts_and_lists_waiting_renders(client, submit):
    submit()
    found = client.get("/api/v1/queue").json()
    assert (found["queued"], found["running"], len(found["items"])) == (1, 0, 1)


def test_visualization_list_uses_a_fixed_number_of_queries(client, submit, django_assert_max_num_queries):
    for number in range(4):
        submit(title=f"t{number}", force=True)
    from apps.visualizations.models import Render

    Render.objects.update(state=RenderState.CANCELLED)
    with django_assert_max_num_queries(6):
        client.get("/api/v1/visualizations")


def test_openapi_lists_every_operation_and_docs_load_nothing_external(client):
    schema = client.get("/api/v1/openapi.json").json()
    wanted = {
        "runs": {"get"},
        "runs/{run_id}": {"get"},
        "states": {"get"},
        "series/{series_id}": {"get"},
        "alerts": {"get", "post"},
        "alerts/{alert_id}": {"get", "patch", "delete"},
        "alerts/{alert_id}/deliveries": {"get"},
        "alerts/{alert_id}/test": {"post"},
        "comparisons": {"get", "post"},
        "comparisons/{comparison_id}": {"get"},
        "proposals": {"get", "post"},
        "proposals/{proposal_id}": {"get"},
        "proposals/{proposal_id}/versions": {"post"},
        "proposals/{proposal_id}/propose": {"post"},
        "proposals/{proposal_id}/withdraw": {"post"},
        "proposals/{proposal_id}/approve": {"post"},
        "proposals/{proposal_id}/reject": {"post"},
        "proposals/{proposal_id}/retire": {"post"},
        "rules": {"get", "post"},
        "rules/{rule_id}": {"get", "patch", "delete"},
        "rules/{rule_id}/apply": {"post"},
        "rules/{rule_id}/cancel": {"post"},
        "reports": {"get", "post"},
        "reports/{report_id}": {"get", "patch", "delete"},
        "reports/{report_id}/changes": {"get"},
        "reports/{report_id}/restore": {"post"},
        "reports/{report_id}/versions": {"get"},
        "shares": {"get", "post"},
        "shares/{share_id}": {"delete"},
        "types": {"get"},
        "visualizations": {"get", "post"},
        "visualizations/{visualization_id}": {"get", "delete"},
        "visualizations/{visualization_id}/changes": {"get"},
        "visualizations/{visualization_id}/run": {"get"},
        "visualizations/{visualization_id}/rerender": {"post"},
        "renders/{render_id}": {"get"},
        "renders/{render_id}/cancel": {"post"},
        "queue": {"get"},
        "queue/pauses": {"get"},
        "queue/pause": {"post"},
        "queue/drain": {"post"},
        "queue/resume": {"post"},
    }
    found = {path.removeprefix("/api/v1/"): set(methods) for path, methods in schema["paths"].items()}
    assert wanted == found
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert b"http://" not in page.content
    assert b"https://" not in page.content
    assert b'<script type="application/json"' in page.content
