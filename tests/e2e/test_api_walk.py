"""The complete workflow by script, with kfp.Client and the REST API only."""

import csv
import io
import json
import re
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from kfp import Client, compiler, dsl

from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.kernel]


def call(portal, path, body=None, method=None):
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(
        portal.url + path, data=data, method=method, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def content(portal, render):
    with urllib.request.urlopen(portal.url + render["content_url"], timeout=30) as response:
        return response.read().decode()


def finished(portal, render_id, seconds=90):
    def ended():
        status, render = call(portal, f"/api/v1/renders/{render_id}")
        assert status == 200
        return render if render["state"] not in {"queued", "running"} else None

    return wait_until(ended, seconds, f"render {render_id}")


@dsl.component(base_image="python:3.11")
def make_scores(rows: int, scores: dsl.Output[dsl.Dataset]):
    import random

    dice = random.Random(11)
    with open(scores.path, "w") as file:  # noqa: PTH123  (a component must be self-contained)
        file.write("target,predicted,score,city\n")
        for number in range(rows):
            truth = dice.random() < 0.5
            score = round(min(1, max(0, dice.gauss(0.62 if truth else 0.4, 0.2))), 3)
            guess = "yes" if score > 0.5 else "no"
            file.write(f"{'yes' if truth else 'no'},{guess},{score},Zürich {number}\n")


@pytest.fixture(scope="module")
def run(portal, tmp_path_factory):
    """A run of a custom pipeline, uploaded and awaited with kfp.Client."""

    @dsl.pipeline(name="own-scores")
    def pipeline(rows: int = 400):
        make_scores(rows=rows)

    package = tmp_path_factory.mktemp("package") / "own.yaml"
    compiler.Compiler().compile(pipeline, str(package))
    client = Client(host=portal.get("/readyz")["kubeflow"]["host"])
    client.upload_pipeline(str(package), pipeline_name="own-scores")
    made = client.create_run_from_pipeline_package(str(package), arguments={"rows": 500}, run_name="by script")
    assert client.wait_for_run_completion(made.run_id, timeout=120).state == "SUCCEEDED"
    status, details = call(portal, f"/api/v1/runs/{made.run_id}")
    assert status == 200
    return details


@pytest.fixture(scope="module")
def step(run):
    return next(each for each in run["steps"] if each["artifacts"])


def order(run, step, **more):
    artifact = next(each for each in step["artifacts"] if each["direction"] == "output")
    return {"run_id": run["id"], "step_id": step["id"], "artifact": artifact["name"], **more}


@pytest.fixture(scope="module")
def rows(portal, run, step):
    """The artifact's rows, downloaded without a render."""
    artifact = next(each for each in step["artifacts"] if each["direction"] == "output")
    path = f"/runs/{run['id']}/steps/{step['id']}/artifacts/{artifact['id']}/download"
    with urllib.request.urlopen(portal.url + path, timeout=20) as response:
        return list(csv.DictReader(io.StringIO(response.read().decode())))


def test_roc_curve_has_the_area_computed_by_hand(portal, run, step, rows):
    good = [float(row["score"]) for row in rows if row["target"] == "yes"]
    bad = [float(row["score"]) for row in rows if row["target"] == "no"]
    area = sum((a > b) + 0.5 * (a == b) for a in good for b in bad) / (len(good) * len(bad))
    status, made = call(portal, "/api/v1/visualizations", order(run, step, type="ROC_CURVE"))
    assert status == 202
    render = finished(portal, made["render"]["id"])
    assert render["state"] == "succeeded", render
    assert f"AUC {area:.4f}" in content(portal, render)


def test_table_has_a_known_cell(portal, run, step, rows):
    _, made = call(portal, "/api/v1/visualizations", order(run, step, type="TABLE"))
    render = finished(portal, made["render"]["id"])
    assert render["state"] == "succeeded", render
    page = content(portal, render)
    assert len(rows) == 500
    shown = json.loads(re.search(r'json">(\{"columns".*?)</script>', page, re.DOTALL)[1])
    cells = dict(zip((column["name"] for column in shown["columns"]), shown["cells"], strict=True))
    assert (cells["score"][321], cells["city"][321]) == (str(rows[321]["score"]), rows[321]["city"])


def test_confusion_matrix_has_the_right_count(portal, run, step, rows):
    both = sum(row["target"] == row["predicted"] == "yes" for row in rows)
    _, made = call(portal, "/api/v1/visualizations", order(run, step, type="CONFUSION_MATRIX"))
    render = finished(portal, made["render"]["id"])
    assert render["state"] == "succeeded", render
    assert re.search(rf">{both}</td>", content(portal, render))


def test_same_request_returns_the_saved_result_unless_forced(portal, run, step):
    body = order(run, step, type="table")
    _, first = call(portal, "/api/v1/visualizations", body)
    finished(portal, first["render"]["id"])
    status, second = call(portal, "/api/v1/visualizations", body)
    assert (status, second["render"]["id"]) == (200, first["render"]["id"])
    status, third = call(portal, "/api/v1/visualizations", {**body, "force": True})
    assert status == 202
    assert third["render"]["id"] != first["render"]["id"]
    assert finished(portal, third["render"]["id"])["state"] == "succeeded"


def test_eight_concurrent_renders_succeed_while_pages_answer(portal, run, step):
    # Long enough that some still run while pages are requested.
    code = "import time\ntime.sleep(1)\nprint('number', {} * 1111)"
    bodies = [order(run, step, type="custom", code=code.format(number)) for number in range(1, 9)]
    with ThreadPoolExecutor(8) as pool:
        made = [answer for _, answer in pool.map(lambda body: call(portal, "/api/v1/visualizations", body), bodies)]
    pages = 0
    while any(
        call(portal, f"/api/v1/renders/{each['render']['id']}")[1]["state"] in {"queued", "running"} for each in made
    ):
        urllib.request.urlopen(portal.url + "/visualizations/", timeout=10).read()
        pages += 1
    assert pages
    for number, each in enumerate(made, 1):
        render = finished(portal, each["render"]["id"])
        assert render["state"] == "succeeded", render
        assert f"number {number * 1111}" in content(portal, render)


def test_failing_code_reports_line_and_message(portal, run, step):
    code = "rows = 3\n\nprint(rows)\nrows.append(4)\n"
    _, made = call(portal, "/api/v1/visualizations", order(run, step, type="CUSTOM", code=code))
    render = finished(portal, made["render"]["id"])
    assert (render["state"], render["reason"], render["line"]) == ("failed", "user_error", 4)
    assert "'int' object has no attribute 'append'" in render["message"]


def test_endless_code_times_out(portal, run, step):
    body = order(run, step, type="CUSTOM", code="while True:\n    pass", timeout_s=3)
    _, made = call(portal, "/api/v1/visualizations", body)
    render = finished(portal, made["render"]["id"])
    assert (render["state"], render["reason"]) == ("timed_out", "timed_out")


def test_running_render_is_cancelled(portal, run, step):
    body = order(run, step, type="CUSTOM", code="import time\ntime.sleep(25)")
    _, made = call(portal, "/api/v1/visualizations", body)
    identity = made["render"]["id"]
    wait_until(lambda: call(portal, f"/api/v1/renders/{identity}")[1]["cell"] == 1, 40, "the first cell")
    assert call(portal, f"/api/v1/renders/{identity}/cancel", {}, "POST")[0] == 200
    assert finished(portal, identity, 10)["state"] == "cancelled"
    assert call(portal, f"/api/v1/renders/{identity}/cancel", {}, "POST")[0] == 200


def test_event_stream_reports_state_changes(portal, run, step):
    with urllib.request.urlopen(portal.url + "/events/", timeout=60) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert stream.readline() == b": hello\n"
        body = order(run, step, type="custom", code="print('told')", title="told")
        _, made = call(portal, "/api/v1/visualizations", body | {"force": True})
        states = []
        while "succeeded" not in states:
            line = stream.readline().decode()
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                if event.get("id") == made["render"]["id"]:
                    states.append(event["state"])
    assert states[0] in {"queued", "running"}
    assert "running" in states


def test_source_that_is_no_artifact_of_the_step_is_refused(portal, run, step):
    body = order(run, step, type="table", source="minio://mlpipeline/v2/artifacts/not/there")
    status, answer = call(portal, "/api/v1/visualizations", body)
    assert status == 400, "a URI that is none of the step's artifacts is refused"
    assert "source" in answer["error"]["fields"]


BAD = [
    ({"run_id": "00000000-0000-0000-0000-000000000000"}, {400, 404}, None),
    ({"run_id": "../../etc"}, {400, 404}, None),
    ({"step_id": "none"}, {400, 404}, None),
    ({"type": "../../x"}, {400}, "type"),
    ({"type": "no_such"}, {400}, "type"),
    ({"artifact": "none"}, {400, 404}, None),
    ({"arguments": {"unknown": 1}}, {400}, "arguments.unknown"),
    ({"arguments": {"max_rows": "many"}}, {400}, "arguments.max_rows"),
    ({"arguments": []}, {400}, None),
    ({"type": "custom", "code": ""}, {400}, "code"),
    ({"type": "custom", "code": "   \n"}, {400}, "code"),
    ({"timeout_s": -1}, {400}, "timeout_s"),
    ({"source": "file:///etc/passwd"}, {400}, "source"),
    ({"source": "http://169.254.169.254/"}, {400}, "source"),
]


@pytest.mark.parametrize(("change", "statuses", "field"), BAD, ids=lambda value: str(value)[:50])
def test_invalid_input_is_refused_with_code_and_message(portal, run, step, change, statuses, field):
    status, answer = call(portal, "/api/v1/visualizations", order(run, step, type="table") | change)
    assert status in statuses, answer
    assert answer["error"]["code"]
    assert answer["error"]["message"]
    if field:
        assert field in answer["error"].get("fields", {}), answer


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"a": NaN}', b"[" * 100_000, b'"x"', b"\xff\xfe"])
def test_invalid_json_body_returns_400(portal, body):
    status, answer = call(portal, "/api/v1/visualizations", body)
    assert status == 400
    assert answer["error"]["message"]


def test_openapi_document_lists_visualizations(portal):
    status, document = call(portal, "/api/v1/openapi.json")
    assert status == 200
    assert "/api/v1/visualizations" in document["paths"]
