"""The HTTP listener of a worker: liveness and its own metrics."""

import socket
import time
import urllib.error
import urllib.request

import pytest
from renderer.memory import host_memory

from apps.telemetry.listener import Listener
from apps.visualizations.jobs import RenderWorker
from tests.visualizations.conftest import DeafWorker

pytestmark = pytest.mark.django_db(transaction=True)


def get(port, path, **headers):
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def listen():
    started = []

    def start(**options):
        made = Listener("127.0.0.1:0", **{"is_alive": lambda: True, "read_metrics": list, **options})
        assert made.start()
        started.append(made)
        return made

    yield start
    for each in started:
        each.stop()


def test_listener_reports_liveness_and_metrics(listen):
    answers = [True, False]
    port = listen(is_alive=lambda: answers.pop(0)).port
    assert get(port, "/healthz") == (200, "alive\n")
    assert get(port, "/healthz") == (503, "stuck\n")
    status, text = get(port, "/metrics")
    assert status == 200
    assert "process_resident_memory_bytes" in text
    assert "vizportal_kubeflow_request_seconds" in text
    assert get(port, "/else")[0] == 404


def test_metrics_require_the_token(listen):
    port = listen(token="worker-token").port
    assert get(port, "/metrics")[0] == 401
    assert get(port, "/metrics", Authorization="Bearer worker-toke")[0] == 401
    assert get(port, "/metrics", Authorization="Bearer worker-token")[0] == 200
    assert get(port, "/healthz")[0] == 200


def test_silent_client_does_not_block_others(listen):
    port = listen().port
    with socket.create_connection(("127.0.0.1", port)):
        assert get(port, "/healthz")[0] == 200


@pytest.mark.parametrize("bind", ["127.0.0.1:99999", "no-port", "127.0.0.1:x", ""])
def test_invalid_bind_address_logs_a_warning(bind, caplog):
    assert not Listener(bind, is_alive=lambda: True, read_metrics=list).start()
    assert f"no listener on {bind}" in caplog.text


def test_worker_listens_only_while_it_works(queue, settings, submit, kernel, unused_port, caplog):
    settings.VIZPORTAL_WORKER_METRICS_BIND = f"127.0.0.1:{unused_port}"
    seen = []
    kernel.during = lambda: seen.append(get(unused_port, "/healthz"))
    submit()
    DeafWorker([queue], connection=queue.connection).work(burst=True, logging_level="WARNING")
    assert seen == [(200, "alive\n")]
    with pytest.raises(urllib.error.URLError):
        get(unused_port, "/healthz")


def test_second_worker_on_a_machine_works_without_listener(queue, settings, submit, kernel, row, listen, caplog):
    settings.VIZPORTAL_WORKER_METRICS_BIND = f"127.0.0.1:{listen().port}"
    made = submit()
    DeafWorker([queue], connection=queue.connection).work(burst=True, logging_level="WARNING")
    assert row(made.render).state == "succeeded"
    assert "no listener on" in caplog.text


def test_idle_loop_is_stuck_unless_a_render_is_within_its_limit(queue):
    worker = RenderWorker([queue], connection=queue.connection)
    assert not worker.is_alive()
    worker.loop_turned_at = time.monotonic() - 100
    assert worker.is_alive()
    worker.loop_turned_at = time.monotonic() - 130
    assert not worker.is_alive()
    worker.job_ends_by = time.monotonic() + 10
    assert worker.is_alive()
    worker.job_ends_by = time.monotonic() - 1
    assert not worker.is_alive()


def test_heartbeat_counts_as_alive_even_if_queue_server_is_away(queue, unused_port):
    import redis

    gone = redis.Redis(port=unused_port)
    worker = DeafWorker([queue], connection=queue.connection)
    worker.connection = gone
    with pytest.raises(redis.exceptions.ConnectionError):
        worker.heartbeat()
    assert worker.is_alive()


@pytest.mark.kernel
def test_host_memory_covers_all_its_processes(host):
    # A host that replaced another ends soon unless it is called.
    host.status()
    found = host_memory(host)
    # pandas, matplotlib and scikit-learn are imported; more than 2 GB would be a measurement error.
    assert 50 * 1024**2 < found.pss_bytes < found.rss_bytes < 2 * 1024**3


def test_memory_is_not_reported_without_hosts(queue, settings, tmp_path):
    settings.VIZPORTAL_ENVIRONMENTS_DIR = tmp_path
    [metric] = RenderWorker([queue], connection=queue.connection).metrics_read()
    assert metric.samples == []
