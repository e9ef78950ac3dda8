"""`/metrics`: who may read it, what it contains, and that it answers when parts of the portal are down."""

import socket
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from apps.telemetry import exposition
from apps.telemetry.pending import PendingCall
from apps.visualizations import collectors
from apps.visualizations.jobs import RenderWorker
from apps.visualizations.models import Render
from apps.visualizations.services.reconciliation import reconcile
from apps.visualizations.states import RenderState

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "a-token-of-the-test"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9", "::1"])
def test_metrics_are_readable_locally_without_a_token(address):
    assert Client(REMOTE_ADDR=address).get("/metrics").status_code == 200


@pytest.mark.parametrize(
    "where",
    [
        {"REMOTE_ADDR": "10.0.0.7"},
        {"REMOTE_ADDR": ""},
        {"headers": {"X-Forwarded-For": "10.0.0.7"}},
        {"headers": {"Forwarded": "for=127.0.0.1"}},
        {"headers": {"X-Forwarded-Proto": "https"}},
        {"headers": {"Via": "1.1 gateway"}},
        {"headers": {"x-real-ip": "127.0.0.1"}},
        {"REMOTE_ADDR": "10.0.0.7", "headers": {"Authorization": "Bearer "}},
    ],
)
def test_metrics_return_404_remotely_without_a_token(where):
    assert Client(**where).get("/metrics").status_code == 404


def test_token_allows_access_under_any_host_name(settings):
    settings.VIZPORTAL_METRICS_TOKEN = TOKEN
    right = {"Authorization": f"Bearer {TOKEN}"}
    response = Client(REMOTE_ADDR="10.0.0.7", headers=right).get("/metrics", headers={"Host": "10.1.2.3:8000"})
    assert response.status_code == 200
    assert b"vizportal_up" in response.content
    # Any host name is accepted only for this path with this token.
    assert Client(headers=right).get("/healthz", headers={"Host": "10.1.2.3"}).status_code == 400
    assert Client().get("/metrics", headers={"Host": "10.1.2.3"}).status_code == 400


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN} "])
def test_wrong_token_is_refused_even_locally(settings, header):
    settings.VIZPORTAL_METRICS_TOKEN = TOKEN
    response = Client(headers={"Authorization": header} if header else None).get("/metrics")
    assert response.status_code == 401
    assert b"vizportal_up" not in response.content


def test_post_is_not_allowed():
    assert Client().post("/metrics").status_code == 405


def test_text_and_openmetrics_formats():
    plain = Client().get("/metrics")
    assert plain["Content-Type"].startswith("text/plain; version=")
    open_metrics = Client().get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert open_metrics["Content-Type"].startswith("application/openmetrics-text")
    assert open_metrics.content.endswith(b"# EOF\n")


def test_queued_and_running_renders(submit, scrape):
    first, _, third = (submit(force=True).render for _ in range(3))
    queued_at = timezone.now() - timedelta(minutes=7)
    Render.objects.filter(id=first.id).update(queued_at=queued_at)
    Render.objects.filter(id=third.id).update(state=RenderState.RUNNING)
    found = scrape()
    assert found.value("vizportal_renders_queued", environment="base") == 2
    assert found.value("vizportal_renders_running", environment="base") == 1
    waited_s = (timezone.now() - queued_at).total_seconds()
    assert 420 <= found.value("vizportal_renders_queued_oldest_seconds", environment="base") <= waited_s
    assert found.value("vizportal_queue_jobs", environment="base") == 3
    assert found.value("vizportal_renders_queued", environment="tfx") == 0
    assert found.value("vizportal_renders_queued_oldest_seconds", environment="tfx") == 0


def test_workers_hosts_and_reconciler(queue, scrape, settings, tmp_path):
    settings.VIZPORTAL_DATA_DIR = tmp_path
    assert scrape().value("vizportal_reconciler_last_pass_timestamp_seconds") is None
    worker = RenderWorker([queue], connection=queue.connection)
    worker.register_birth()
    told = '{"environment": "base", "machine": "m1", "renders": 5, "pss_bytes": 100, "rss_bytes": 300}'
    queue.connection.set("vizportal:host:m1:base", told)
    # A host of an older version, which reports no memory.
    queue.connection.set("vizportal:host:m2:base", '{"environment": "base", "machine": "m2", "renders": 1}')
    before = time.time()
    reconcile()
    found = scrape()
    worker.register_death()
    assert found.value("vizportal_workers", environment="base") == 1
    assert found.value("vizportal_workers", environment="tfx") == 0
    assert found.value("vizportal_host_memory_bytes", environment="base", machine="m1", kind="pss") == 100
    assert found.value("vizportal_host_memory_bytes", environment="base", machine="m2", kind="pss") is None
    assert found.value("vizportal_host_renders", environment="base", machine="m1") == 5
    assert before <= found.value("vizportal_reconciler_last_pass_timestamp_seconds") <= time.time()


def test_process_and_build_info(scrape):
    found = scrape()
    assert found.value("process_resident_memory_bytes") > 10_000_000
    [labels] = found.labels("vizportal_build_info")
    assert labels["version"][0].isdigit()


def test_unreachable_queue_server_is_reported_as_down(no_queue, scrape):
    found = scrape()
    assert found.value("vizportal_up", part="queue") == 0
    assert found.value("vizportal_up", part="database") == 1
    assert found.value("vizportal_renders_queued", environment="base") == 0
    assert "vizportal_workers" not in found.families


def test_unresponsive_queue_server_is_not_waited_for(settings, monkeypatch, scrape):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        for each in settings.RQ_QUEUES.values():
            monkeypatch.setitem(each, "URL", f"redis://127.0.0.1:{mute.getsockname()[1]}/0")
        only_queue = {"queue": PendingCall("queue", collectors.queue_metrics)}
        monkeypatch.setattr(exposition, "PARTS", only_queue)
        for _ in range(3):
            # Without a timeout it would never answer.
            assert scrape().value("vizportal_up", part="queue") == 0
        mute.settimeout(5)
        # Only one connection waits, however often it is scraped.
        accepted, _ = mute.accept()
        mute.settimeout(0.2)
        with accepted, pytest.raises(TimeoutError):
            mute.accept()


@pytest.mark.parametrize("rows", [collectors.renders_queued, collectors.renders_running])
def test_render_counts_use_an_index(rows, owner):
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # PostgreSQL would scan an empty table whatever its indexes.
            connection.cursor().execute("SET LOCAL enable_seqscan = off")
        plan = rows().explain()
    assert "render_queue" in plan or "render_lease" in plan, plan
