"""One trace from the request through the queue to the render, sent to a real receiver."""

import asyncio
import json
import logging
import subprocess
import sys

import pytest
from django.conf import settings as live_settings
from django.db import connection
from django.test import AsyncClient, Client

from apps.telemetry import trace_export, tracing
from apps.telemetry.logs import ACCESS_LOGGER, JsonFormatter
from apps.visualizations.exceptions import SourceError
from apps.visualizations.jobs import RenderJob
from apps.visualizations.states import Reason
from tests.runs.kubeflow import Kubeflow, with_finished_run
from tests.runs.kubeflow_server import serve
from tests.telemetry.otlp import otlp_receiver, plain

pytestmark = pytest.mark.django_db(transaction=True)
CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def receiver(settings):
    with otlp_receiver() as (address, found):
        settings.VIZPORTAL_OTLP_ENDPOINT = address
        trace_export.start("test")
        yield found
        trace_export.stop()


def ask(client, **headers):
    body = {"run_id": "r1", "step_id": "s1", "type": "table", "artifact": "predictions", "force": True}
    return client.post("/api/v1/visualizations", body, content_type="application/json", headers=headers)


def test_request_job_and_render_are_one_trace(receiver, browser, owner, kubeflow, work, kernel, queue):
    kernel.outcome = {"timings": {"total": 0.25, "export": 0.05}}
    response = ask(browser(owner), traceparent=CALLER)
    assert response.status_code == 202, response.content
    render_id = response.json()["render"]["id"]
    # The job's arguments stay those that the worker accepts.
    [job_id] = queue.job_ids
    assert RenderJob.fetch(job_id, connection=queue.connection, serializer=queue.serializer).args == [render_id, 1]
    work()
    trace_export.stop()
    spans = {span.name: span for _service, span in receiver.spans}
    assert {each.trace_id.hex() for each in spans.values()} == {"4bf92f3577b34da6a3ce929d0e0e4736"}
    parents = {
        "POST api-1:visualizations": None,
        "render enqueue": "POST api-1:visualizations",
        "render job": "render enqueue",
        "claim": "render job",
        "fetch source": "render job",
        "render": "render job",
        "store": "render job",
    }
    assert set(parents) <= set(spans)
    for name, parent in parents.items():
        expected = spans[parent].span_id.hex() if parent else "00f067aa0ba902b7"
        assert spans[name].parent_span_id.hex() == expected, name
    kinds = {name: spans[name].SpanKind.Name(spans[name].kind).removeprefix("SPAN_KIND_") for name in parents}
    assert kinds["POST api-1:visualizations"] == "SERVER"
    assert (kinds["render enqueue"], kinds["render job"], kinds["render"]) == ("PRODUCER", "CONSUMER", "INTERNAL")
    assert plain(spans["render"].attributes)["vizportal.seconds.export"] == 0.05
    facts = plain(spans["render job"].attributes)
    assert facts["vizportal.render.id"] == render_id
    assert (facts["vizportal.render.state"], facts["vizportal.render.type"]) == ("succeeded", "table")
    assert plain(spans["POST api-1:visualizations"].attributes)["http.response.status_code"] == 202
    assert not queue.connection.keys("vizportal:trace:*")


def test_failed_fetch_is_marked_on_its_span_without_the_message(receiver, browser, owner, kubeflow, work):
    ask(browser(owner))
    kubeflow.error = SourceError("private words", code=Reason.SOURCE_MISSING)
    work()
    trace_export.stop()
    [fetch] = receiver.named("fetch source")
    assert (fetch.status.code, fetch.status.message) == (fetch.status.STATUS_CODE_ERROR, "SourceError")
    [job] = receiver.named("render job")
    assert plain(job.attributes)["vizportal.render.reason"] == "source_missing"
    assert b"private words" not in b"".join(span.SerializeToString() for _service, span in receiver.spans)


def test_kubeflow_calls_are_spans_of_the_request(receiver, browser, owner, settings):
    with serve(with_finished_run(Kubeflow())) as served:
        settings.KFP_HOST = served.url
        assert browser(owner).get("/runs/").status_code == 200
    trace_export.stop()
    [request] = receiver.named("GET runs:run_list")
    called = receiver.named("kubeflow api")
    assert called
    assert {span.trace_id for span in called} == {request.trace_id}
    assert called[0].SpanKind.Name(called[0].kind) == "SPAN_KIND_CLIENT"
    assert plain(called[0].attributes)["server.address"] == served.url


def test_probes_are_not_traced(receiver, client):
    client.get("/healthz")
    client.get("/metrics")
    trace_export.stop()
    assert receiver.spans == []


def test_metrics_accept_any_host_name_while_tracing(receiver, settings):
    settings.VIZPORTAL_METRICS_TOKEN = "a-token-of-the-test"
    headers = {"Authorization": "Bearer a-token-of-the-test", "Host": "10.1.2.3:8000"}
    assert Client(headers=headers).get("/metrics").status_code == 200
    refused = Client(headers={"Host": "10.1.2.3"}).get("/healthz")
    assert (refused.status_code, len(refused["X-Request-ID"])) == (400, 32)


def test_spans_have_no_query_string_address_or_message(receiver, monkeypatch):
    """In production Django runs under ASGI, where instrumentation collects more than with the test client."""

    def fail(*_args):
        raise ValueError("private words")

    monkeypatch.setattr("vizportal.views.static", fail)
    response = asyncio.run(AsyncClient(raise_request_exception=False).get("/favicon.ico?code=private-code"))
    trace_export.stop()
    assert response.status_code == 500
    [(_service, request)] = receiver.spans
    assert (request.status.code, request.status.message) == (request.status.STATUS_CODE_ERROR, "ValueError")
    attributes = plain(request.attributes)
    assert (attributes["http.request.method"], attributes["url.path"]) == ("GET", "/favicon.ico")
    sent = b"".join(span.SerializeToString() for _service, span in receiver.spans)
    for private in (b"private", b"client.address", b"user_agent", b"peer"):
        assert private not in sent


def test_queue_commands_of_a_request_are_spans_without_values(receiver, browser, owner, kubeflow):
    assert ask(browser(owner)).status_code == 202
    trace_export.stop()
    [enqueue] = receiver.named("render enqueue")
    commands = [span for _service, span in receiver.spans if span.parent_span_id == enqueue.span_id]
    texts = [plain(span.attributes)["db.query.text"] for span in commands]
    assert any("PUBLISH ? ?" in text for text in texts)
    assert not any("vizportal:" in text for text in texts)


def test_commands_outside_of_a_span_are_not_exported(receiver, queue):
    queue.connection.ping()
    with tracing.span("something"):
        queue.connection.ping()
    trace_export.stop()
    assert [span.name for _service, span in receiver.spans] == ["PING", "something"]


def test_access_log_has_the_trace_id(receiver, browser, owner, caplog):
    caplog.set_level(logging.INFO, ACCESS_LOGGER)
    lines = []
    handler = logging.Handler()
    handler.setFormatter(JsonFormatter())
    handler.emit = lambda record: lines.append(json.loads(handler.format(record)))
    logging.getLogger(ACCESS_LOGGER).addHandler(handler)
    try:
        browser(owner).get("/visualizations/", headers={"traceparent": CALLER})
    finally:
        logging.getLogger(ACCESS_LOGGER).removeHandler(handler)
    [line] = lines
    assert (line["trace_id"], line["user"]) == ("4bf92f3577b34da6a3ce929d0e0e4736", owner.pk)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's driver is not instrumented")
def test_queries_of_a_request_are_spans_without_values(receiver, browser, owner):
    # The driver's connections are instrumented when they open.
    connection.close()
    connection.close_pool()
    assert browser(owner).get("/visualizations/?q=something-private").status_code == 200
    trace_export.stop()
    queries = [plain(span.attributes) for _service, span in receiver.spans if span.name == "SELECT"]
    assert any("visualizations_visualization" in query["db.query.text"] for query in queries)
    assert b"something-private" not in b"".join(span.SerializeToString() for _service, span in receiver.spans)


@pytest.mark.parametrize("planted", [b"not a traceparent", b"\xff\xfe", b"00-0-0-00" * 1000, b""])
def test_invalid_stored_trace_is_ignored(receiver, browser, owner, kubeflow, work, queue, planted):
    ask(browser(owner))
    [key] = queue.connection.keys("vizportal:trace:*")
    queue.connection.set(key, planted)
    work()
    trace_export.stop()
    [job] = receiver.named("render job")
    assert job.parent_span_id == b""
    assert plain(job.attributes)["vizportal.render.state"] == "succeeded"


def test_log_lines_of_a_traced_request_have_the_trace_id(receiver, browser, owner, monkeypatch):
    lines = []
    monkeypatch.setattr(
        "apps.ui.views.render",
        lambda *_: lines.append(JsonFormatter().format(logging.LogRecord("x", 20, "", 1, "here", (), None))) or 1 / 0,
    )
    client = browser(owner)
    client.raise_request_exception = False
    client.get("/design/", headers={"traceparent": CALLER})
    assert json.loads(lines[0])["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_tracing_libraries_are_not_imported_without_endpoint(submit, work):
    trace_export.start("test")
    assert not tracing.is_on()
    submit()
    work()
    code = """
        import sys, vizportal.asgi, apps.visualizations.jobs
        from django.test import Client
        assert Client(headers={"Host": "localhost"}).get("/healthz").status_code == 200
        # The API itself is a library of Google's client's too.
        ours = ("opentelemetry.sdk.trace", "opentelemetry.exporter")
        print(sorted(name for name in list(sys.modules) if name.startswith(ours)))
    """
    program = "\n".join(line.strip() for line in code.strip().splitlines())
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=live_settings.BASE_DIR, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_unreachable_collector_does_not_block_renders(settings, submit, work, row, unused_port):
    settings.VIZPORTAL_OTLP_ENDPOINT = f"http://127.0.0.1:{unused_port}"
    trace_export.start("test")
    try:
        made = submit()
        work()
        assert row(made.render).state == "succeeded"
    finally:
        trace_export.stop()
