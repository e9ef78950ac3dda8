"""One trace from the request over the queue to the render, sent to a real receiver."""

import json
import logging
import subprocess
import sys

import pytest
from django.conf import settings as live_settings

from apps.observing import tracing
from apps.observing.logs import JsonLines
from apps.visualizations.exceptions import SourceError
from apps.visualizations.jobs import RenderJob
from apps.visualizations.states import Reason
from tests.observing.otlp import otlp_receiver, plain
from tests.runs.kubeflow import Kubeflow, with_finished_run
from tests.runs.kubeflow_server import serve

pytestmark = pytest.mark.django_db(transaction=True)
CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def receiver(settings):
    with otlp_receiver() as (address, found):
        settings.VIZPORTAL_OTLP_ENDPOINT = address
        tracing.start("test")
        yield found
        tracing.stop()


def ask(client, **headers):
    body = {"run_id": "r1", "step_id": "s1", "type": "table", "artifact": "predictions", "force": True}
    return client.post("/api/v1/visualizations", body, content_type="application/json", headers=headers)


def test_request_job_and_render_are_one_trace(receiver, browser, owner, kubeflow, work, kernel, queue):
    kernel.outcome = {"timings": {"total": 0.25, "export": 0.05}}
    response = ask(browser(owner), traceparent=CALLER)
    assert response.status_code == 202, response.content
    render_id = response.json()["render"]["id"]
    # What a job carries stays what the worker's check allows.
    [job_id] = queue.job_ids
    assert RenderJob.fetch(job_id, connection=queue.connection, serializer=queue.serializer).args == [render_id, 1]
    work()
    tracing.stop()
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


def test_a_failed_fetch_is_seen_where_it_failed_and_without_its_words(receiver, browser, owner, kubeflow, work):
    ask(browser(owner))
    kubeflow.error = SourceError("private words", code=Reason.SOURCE_MISSING)
    work()
    tracing.stop()
    [fetch] = receiver.named("fetch source")
    assert (fetch.status.code, fetch.status.message) == (fetch.status.STATUS_CODE_ERROR, "SourceError")
    [job] = receiver.named("render job")
    assert plain(job.attributes)["vizportal.render.reason"] == "source_missing"
    assert b"private words" not in b"".join(span.SerializeToString() for _service, span in receiver.spans)


def test_kubeflow_s_answers_are_spans_of_the_request(receiver, browser, owner, settings):
    with serve(with_finished_run(Kubeflow())) as served:
        settings.KFP_HOST = served.url
        assert browser(owner).get("/runs/").status_code == 200
    tracing.stop()
    [request] = receiver.named("GET runs:run_list")
    called = receiver.named("kubeflow api")
    assert called
    assert {span.trace_id for span in called} == {request.trace_id}
    assert called[0].SpanKind.Name(called[0].kind) == "SPAN_KIND_CLIENT"
    assert plain(called[0].attributes)["server.address"] == served.url


def test_probes_are_in_no_trace(receiver, client):
    client.get("/healthz")
    client.get("/metrics")
    tracing.stop()
    assert receiver.spans == []


@pytest.mark.parametrize("planted", [b"not a traceparent", b"\xff\xfe", b"00-0-0-00" * 1000, b""])
def test_a_planted_trace_is_no_trace(receiver, browser, owner, kubeflow, work, queue, planted):
    ask(browser(owner))
    [key] = queue.connection.keys("vizportal:trace:*")
    queue.connection.set(key, planted)
    work()
    tracing.stop()
    [job] = receiver.named("render job")
    assert job.parent_span_id == b""
    assert plain(job.attributes)["vizportal.render.state"] == "succeeded"


def test_lines_of_a_traced_request_name_the_trace(receiver, browser, owner, monkeypatch):
    lines = []
    monkeypatch.setattr(
        "vizportal.views.render",
        lambda *_: lines.append(JsonLines().format(logging.LogRecord("x", 20, "", 1, "here", (), None))) or 1 / 0,
    )
    client = browser(owner)
    client.raise_request_exception = False
    client.get("/design/", headers={"traceparent": CALLER})
    assert json.loads(lines[0])["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_without_an_endpoint_nothing_of_it_is_imported(submit, work):
    tracing.start("test")
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


def test_a_collector_that_is_away_holds_nobody_up(settings, submit, work, row, unused_port):
    settings.VIZPORTAL_OTLP_ENDPOINT = f"http://127.0.0.1:{unused_port}"
    tracing.start("test")
    try:
        made = submit()
        work()
        assert row(made.render).state == "succeeded"
    finally:
        tracing.stop()
