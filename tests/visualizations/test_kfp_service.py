"""Kubeflow's visualization protocol, tested through the listener on a real port."""

import hashlib
import http.client
import json
import socket
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvicorn
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from apps.kfp_service import protocol
from apps.kfp_service.app import make_app
from apps.visualizations.exceptions import InvalidRequestError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services import submission
from apps.visualizations.states import RenderState
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CUSTOM = {"type": "custom", "arguments": json.dumps({"code": ["print(1)", "print(2)"], "colour": "red"})}


@pytest.fixture
def port(queue, kernel, settings):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    config = uvicorn.Config(make_app(), port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, 10, "the listener")
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def post(port):
    """Sends a form and returns (status, text, headers)."""

    def send(fields=None, *, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        body = urllib.parse.urlencode(fields or {}) if body is None else body
        connection.request("POST", "/", body, FORM | (headers or {}))
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text, response.headers

    return send


@pytest.fixture
def answer(post, queue, work):
    """Sends a form while a worker works, and returns what `post` returns."""

    def ask(*args, **more):
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(post, *args, **more)
            wait_until(lambda: queue.count or asked.done(), 20, "the request")
            work()
            return asked.result(20)

    return ask


@pytest.fixture
def csv(tmp_path, settings):
    path = tmp_path / "scores.csv"
    path.write_text("a,b\n1,2\n")
    settings.VIZPORTAL_SOURCE_ALLOW = [f"{tmp_path}/"]
    return path


def test_health_check_answers_as_kubeflows_service(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"alive")
    connection.close()


def test_each_form_is_rendered_again_and_saved(answer, csv, kernel):
    for count in (1, 2):
        status, text, headers = answer({"type": "TABLE", "source": str(csv), "arguments": '{"max_rows": 5}'})
        assert (status, text) == (200, "<p>picture</p>")
        assert headers.get_content_type() == "text/html"
        assert Visualization.objects.count() == count
    render = Render.objects.get(id=headers["X-Vizportal-Render"])
    assert (render.state, render.requested_by, render.visualization.owner) == (RenderState.SUCCEEDED, None, None)
    assert render.visualization.latest == render
    assert "Kubeflow" in render.visualization.title
    assert kernel.jobs[0].spec.arguments["max_rows"] == 5
    assert {part.partition(";")[0] for part in headers["Server-Timing"].split(", ")} >= {"parse", "submit", "wait"}


def test_custom_code_may_be_a_list_of_lines(answer, kernel):
    assert answer(CUSTOM)[0] == 200
    assert kernel.jobs[0].spec.code == "print(1)\nprint(2)"
    assert kernel.jobs[0].spec.arguments == {"colour": "red"}


def test_large_page_arrives_complete(answer, kernel):
    kernel.html = b"<p>" + b"x" * (9 * 1024**2) + b"</p>"
    status, text, _ = answer(CUSTOM)
    assert (status, len(text)) == (200, len(kernel.html))


@pytest.mark.parametrize("size", [10, 9 * 1024**2])
def test_page_inlines_its_scripts(answer, kernel, size):
    digest = hashlib.sha256(b"draw()").hexdigest()
    default_storage.save(f"assets/{digest}.js", ContentFile(b"draw()"))
    kernel.html = f'<script src="/assets/{digest}.js"></script>'.encode() + b"x" * size
    _, text, _ = answer(CUSTOM)
    assert "/assets/" not in text
    assert "data:text/javascript" in text


@pytest.mark.parametrize(
    ("outcome", "status", "words"),
    [
        (
            {"state": "failed", "reason": "user_error", "message": "NameError: x", "line": 2, "html": None},
            400,
            "NameError: x (line 2)",
        ),
        ({"state": "timed_out", "reason": "timed_out", "message": "Too slow.", "html": None}, 400, "Too slow."),
        ({"state": "failed", "reason": "bad_result", "message": "Odd.", "html": None}, 500, "Odd."),
    ],
)
def test_failed_render_returns_its_message(answer, kernel, outcome, status, words):
    kernel.outcome = outcome
    found, text, _ = answer(CUSTOM)
    assert (found, words in text) == (status, True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "No type provided"),
        ({"type": "../exporter", "source": "/x"}, "no visualization type"),
        ({"type": "table"}, "needs a source"),
        ({"type": "table", "source": "/etc/passwd"}, "may not read"),
        ({"type": "table", "source": "/a/../b\0"}, "NUL"),
        ({"type": "table", "source": '"; import os'}, "refused"),
        ({"type": "table", "source": "/x", "arguments": "{"}, "Invalid JSON"),
        ({"type": "table", "source": "/x", "arguments": "[1]"}, "JSON object"),
        ({"type": "table", "source": "/x", "arguments": '{"max_rows": NaN}'}, "NaN"),
        ({"type": "table", "source": "/x", "arguments": '{"max_rows": 1e999}'}, "finite"),
        ({"type": "table", "source": "/x", "arguments": '{"max_rows": "a"}'}, "integer"),
        ({"type": "table", "source": "/x", "arguments": '{"nonsense": 1}'}, "nonsense"),
        ({"type": "table", "source": "/x", "arguments": '{"headers": [1]}'}, "headers"),
        ({"type": "table", "source": "/x", "arguments": '{"code": ["1"]}'}, "Only CUSTOM"),
        ({"type": "roc_curve", "source": "/x", "arguments": '{"target_lambda": "exit()"}'}, "not evaluated"),
        ({"type": "custom", "arguments": '{"code": [1]}'}, "list of lines"),
        ({"type": "custom"}, "Write the Python code"),
        ({"type": "custom", "arguments": '{"code": "1", "a": "\\u0000"}'}, "NUL"),
        ({"type": "custom", "arguments": '{"code": "1", "\\ud800": 1}'}, "Unicode"),
        ({"type": "custom", "more": "1"}, "field"),
        ({"type": "table", "source": "/x", "arguments": "[" * 100_000}, "deeply"),
    ],
)
def test_invalid_request_returns_400_with_message_and_saves_nothing(post, fields, words):
    status, text, headers = post(fields)
    assert status == 400
    assert words in text
    assert headers.get_content_type() == "text/plain"
    assert not Visualization.objects.exists()


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("type=table&type=custom", {}, 400),
        ("&".join(f"f{n}=1" for n in range(100)), {}, 400),
        (b"type=%ff", {}, 400),
        ("x" * (1024**2 + 1), {}, 413),
        ("type=custom", {"Content-Type": "multipart/form-data"}, 400),
        ("type=custom", {"TimeoutValue": "soon"}, 400),
        ("type=custom", {"TimeoutValue": "0"}, 400),
        ("type=custom", {"Origin": "http://evil.example"}, 403),
        ("type=custom", {"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_hostile_request_is_refused(post, body, headers, status):
    assert post(body=body, headers=headers)[0] == status
    assert not Visualization.objects.exists()


def test_custom_code_is_refused_when_switched_off(post, settings):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = False
    status, text, _ = post(CUSTOM)
    assert (status, "ALLOW_CUSTOM_VISUALIZATIONS" in text) == (400, True)


def test_configured_token_is_required(answer, post, settings):
    settings.VIZPORTAL_KFP_SERVICE_TOKEN = "s3cret"
    assert post(CUSTOM)[0] == 401
    assert post(CUSTOM, headers={"Authorization": "Bearer wröng".encode()})[0] == 401
    assert answer(CUSTOM, headers={"Authorization": "Bearer s3cret"})[0] == 200


def test_timeout_headers_set_the_renders_time_limit(answer, kernel, settings):
    settings.KERNEL_TIMEOUT = 20
    assert answer(CUSTOM, headers={"TimeoutValue": "7"})[0] == 200
    assert answer(CUSTOM, headers={"Grpc-Timeout": "90S"})[0] == 200
    assert [job.spec.timeout_s for job in kernel.jobs] == [7, 20]


def test_request_timeout_returns_400_and_cancels_the_render(post):
    status, text, _ = post(CUSTOM, headers={"Grpc-Timeout": "300m"})
    assert (status, "0.3 s" in text) == (400, True)
    assert Render.objects.get().state == RenderState.CANCELLED


def test_client_disconnect_cancels_the_render(port, queue):
    client = socket.create_connection(("127.0.0.1", port))
    body = urllib.parse.urlencode(CUSTOM)
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM['Content-Type']}\r\nContent-Length: {len(body)}\r\n\r\n"
    client.sendall((head + body).encode())
    wait_until(lambda: queue.count, 10, "the job")
    client.close()
    wait_until(lambda: Render.objects.get().state == RenderState.CANCELLED, 10, "the end of the render")
    wait_until(lambda: queue.count == 0, 10, "the end of its job")


def test_incomplete_request_body_returns_408(port, monkeypatch):
    monkeypatch.setattr("apps.kfp_service.app.BODY_S", 0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\ntype")
        assert client.recv(100).startswith(b"HTTP/1.1 408 ")


def test_request_over_the_waiting_limit_returns_503(post, queue, settings, work):
    settings.VIZPORTAL_KFP_SERVICE_MAX_WAITING = 1
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, CUSTOM)
        wait_until(lambda: queue.count, 10, "the job")
        status, text, headers = post(CUSTOM)
        assert (status, headers["Retry-After"], "1 requests" in text) == (503, "5", True)
        work()
        assert first.result(10)[0] == 200


def test_lost_event_does_not_lose_the_response(answer, monkeypatch):
    monkeypatch.setattr("apps.visualizations.services.lease.publish", lambda _render: False)
    assert answer(CUSTOM)[0] == 200


def test_internal_error_returns_500_with_incident_number(post, monkeypatch):
    def broken(*_args):
        raise RuntimeError("oops")

    monkeypatch.setattr(submission, "visualization_create_anew", broken)
    status, text, _ = post(CUSTOM)
    assert (status, "incident" in text, "oops" in text) == (500, True, False)


def test_kubeflow_type_numbers_and_arguments_map_to_the_portals():
    # backend/api/v1beta1/visualization.proto, Visualization.Type.
    numbers = {0: "roc_curve", 1: "tfdv", 2: "tfma", 3: "table", 4: "custom"}
    assert {number: protocol.request_make(number, "/x", "{}").type_key for number in numbers} == numbers
    made = protocol.request_make(3, "/x", '{"headers": []}')
    assert (made.type_key, made.arguments) == ("table", {"headers": []})
    made = protocol.request_make("TABLE", "/x", '{"headers": ["id", "price"]}')
    assert made.arguments == {"headers": ["id", "price"]}
    made = protocol.request_make("ROC_CURVE", "/x", '{"trueclass": true, "target_lambda": ""}')
    assert (made.type_key, made.arguments) == ("roc_curve", {"trueclass": "true"})
    with pytest.raises(InvalidRequestError):
        protocol.request_make(True, "/x", "{}")
