"""A portal started by `up`, with metrics, traces, JSON logs and the worker listener enabled."""

import json
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.portals import running_portal, sampled_data
from tests.servers import free_port
from tests.telemetry.otlp import otlp_receiver, plain
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.kernel]
TRACE = "0af7651916cd43dd8448eb211c80319c"
CODE = "import time\ntime.sleep(0.5)\nprint('seen')"


def read(url, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as response:
        return response.read().decode()


def value(url, name, **labels):
    samples = [each for family in text_string_to_metric_families(read(url)) for each in family.samples]
    found = [each.value for each in samples if each.name == name and labels.items() <= each.labels.items()]
    return found[0] if found else None


def ask(portal):
    """Requests custom code for a step of a sample run, with a trace and a request id."""
    api = f"{portal.url}/api/v1"
    run = wait_until(lambda: next(iter(json.loads(read(f"{api}/runs"))["items"]), None), 60, "a run")
    step = wait_until(lambda: json.loads(read(f"{api}/runs/{run['id']}"))["steps"], 60, "its steps")[0]
    body = {"type": "custom", "code": CODE, "run_id": run["id"], "step_id": step["id"]}
    headers = {"X-Request-ID": "asked-here", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    return json.loads(read(f"{api}/visualizations", body, **headers, **{"Content-Type": "application/json"}))


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A portal, its worker's listener and a trace collector, after one render of custom code."""
    port = free_port()
    with otlp_receiver() as (collector, receiver):
        environ = {
            "VIZPORTAL_OTLP_ENDPOINT": collector,
            "VIZPORTAL_WORKER_METRICS_BIND": f"127.0.0.1:{port}",
            "VIZPORTAL_LOG_FORMAT": "json",
            "ALLOW_CUSTOM_VISUALIZATIONS": "true",
        }
        with running_portal(sampled_data(tmp_path_factory, "observed"), **environ) as portal:
            asked = ask(portal)
            address = f"{portal.url}/api/v1/renders/{asked['render']['id']}"
            wait_until(lambda: json.loads(read(address))["state"] not in {"queued", "running"}, 60, "the render")
            yield portal, f"http://127.0.0.1:{port}", receiver, asked["render"]["id"]


def test_web_process_exports_the_workers_metrics(seen):
    metrics = f"{seen[0].url}/metrics"
    place = {"type": "custom", "environment": "base"}
    assert value(metrics, "vizportal_renders_finished_total", **place, state="succeeded") == 1
    assert 0.5 < value(metrics, "vizportal_render_seconds_sum", **place) < 30
    assert value(metrics, "vizportal_workers", environment="base") == 2
    assert value(metrics, "vizportal_http_requests_total", view="api-1:visualizations", status="202") == 1
    assert value(metrics, "vizportal_kubeflow_request_seconds_count", endpoint="default", call="api") > 0
    wait_until(lambda: value(metrics, "vizportal_reconciler_last_pass_timestamp_seconds"), 30, "a pass")
    told = wait_until(
        lambda: value(metrics, "vizportal_host_memory_bytes", environment="base", kind="pss"), 60, "the host's memory"
    )
    assert told > 50 * 1024**2


def test_worker_listener_answers(seen):
    listener = seen[1]
    assert read(f"{listener}/healthz") == "alive\n"
    assert value(f"{listener}/metrics", "vizportal_host_memory_bytes", environment="base", kind="rss") > 50 * 1024**2
    assert value(f"{listener}/metrics", "process_resident_memory_bytes") > 10 * 1024**2


def test_trace_spans_web_and_worker_processes(seen):
    _, _, receiver, render_id = seen
    wait_until(lambda: receiver.named("render job") and receiver.named("render enqueue"), 30, "the spans")
    [job] = receiver.named("render job")
    assert job.trace_id.hex() == TRACE
    assert plain(job.attributes)["vizportal.render.id"] == render_id
    assert plain(job.attributes)["vizportal.render.state"] == "succeeded"
    services = {span.name: service for service, span in receiver.spans if span.trace_id.hex() == TRACE}
    assert services["POST api-1:visualizations"] == services["render enqueue"] == "vizportal-web"
    assert services["render job"] == services["render"] == services["store"] == "vizportal-worker"
    [render] = receiver.named("render")
    assert (render.end_time_unix_nano - render.start_time_unix_nano) / 1e9 > 0.5
    assert any(name.startswith("vizportal.seconds.") for name in plain(render.attributes))


def test_logs_connect_the_request_with_the_worker(seen):
    portal, _, _, render_id = seen
    logs = {
        path.stem: [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
        for path in (portal.data_dir / "logs").glob("*.log")
    }
    [queued] = [line for line in logs["web"] if line["message"] == f"render {render_id} queued"]
    assert (queued["request_id"], queued["trace_id"]) == ("asked-here", TRACE)
    workers = [*logs["worker-1"], *logs["worker-2"]]
    [done] = [line for line in workers if line.get("render_id") == render_id]
    assert (done["message"], done["attempt"], done["trace_id"]) == (f"render {render_id}: succeeded", 1, TRACE)
    assert any("no listener on" in line["message"] for line in workers)


def test_render_host_has_no_telemetry(seen):
    """A thread of the host would not exist in its forked children, but a lock that it holds would."""
    [status] = [json.loads(path.read_text()) for path in (seen[0].data_dir / "run").rglob("base-*.status.json")]
    # The second thread belongs to polars (docs/render-host.md).
    assert status["threads"] <= 2
    process = Path("/proc") / str(status["pid"])
    assert b"VIZPORTAL_" not in (process / "environ").read_bytes()
    assert "opentelemetry" not in (process / "maps").read_text()
