"""What the portal shows about its render hosts and about running renders."""

import json

import pytest
from renderer import Progress

from apps.accounts.caller import system_caller
from apps.visualizations.models import Render
from apps.visualizations.services.live import live_page, live_publish, live_read
from apps.visualizations.states import RenderState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told(queue):
    """Publishes the status of a host, as its worker does."""

    def tell(machine="m1", **facts):
        status = {"environment": "base", "machine": machine, "mode": "landlock", "abi": 7, "gaps": [], "renders": 3}
        status |= {"termination": "group", "limits": {"processes": "RLIMIT_NPROC"}}
        queue.connection.set(f"vizportal:host:{machine}:base", json.dumps({**status, **facts}))

    return tell


def sandbox(client):
    return client.get("/readyz").json()["sandbox"]


@pytest.fixture
def client(browser, admin):
    return browser(admin)


def test_readyz_shows_mode_and_gaps_of_every_host(client, told, kubeflow):
    assert sandbox(client)["mode"] == "unknown"
    told()
    assert (sandbox(client)["mode"], sandbox(client)["gaps"]) == ("landlock", [])
    told("m2", mode="none", gaps=["files", "network"])
    found = sandbox(client)
    assert (found["mode"], found["gaps"]) == ("none", ["files", "network"])
    assert [host["machine"] for host in found["hosts"]] == ["m1", "m2"]


def test_readyz_lists_no_hosts_without_queue_server(client, no_queue, kubeflow):
    assert sandbox(client) == {"wanted": "auto", "mode": "unknown", "gaps": [], "termination": [], "hosts": []}


def test_admin_index_lists_hosts_and_sandbox_gaps(browser, admin, told):
    told("machine <1>", gaps=["tcp"])
    page = " ".join(browser(admin).get("/admin/").content.decode().split())
    assert "machine &lt;1&gt;" in page
    assert "sandbox <strong>landlock</strong>, open to a render: tcp; its processes are ended by group" in page
    assert "processes by RLIMIT_NPROC; 3 renders" in page


def test_admin_index_reports_missing_queue_server(browser, admin, no_queue):
    assert "queue does not answer" in browser(admin).get("/admin/").content.decode()


@pytest.fixture
def running(submit):
    render = submit().render
    Render.objects.filter(id=render.id).update(state=RenderState.RUNNING)
    render.refresh_from_db()
    return render


def test_running_render_shows_its_log_and_page_so_far(running, browser, owner):
    live_publish(running, Progress(cell=1, cells=2, elapsed_s=1, log="step <1>", page=b"<p>so far</p>"))
    assert (live_read(system_caller(), running).log, live_read(system_caller(), running).page_number) == ("step <1>", 1)
    card = browser(owner).get(f"/visualizations/{running.visualization_id}/").content.decode()
    assert "step &lt;1&gt;" in card
    assert f"/renders/{running.id}/content?so-far=1" in card
    response = browser(owner).get(f"/renders/{running.id}/content?so-far=1", headers={"Sec-Fetch-Dest": "iframe"})
    assert response.content == b"<p>so far</p>"
    assert "sandbox allow-scripts" in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "no-store"


def test_running_render_without_page_returns_404(running, browser, owner):
    url = f"/renders/{running.id}/content"
    assert browser(owner).get(url, headers={"Sec-Fetch-Dest": "iframe"}).status_code == 404
    assert live_page(system_caller(), running) is None


def test_running_render_publishes_nothing_without_queue_server(running, no_queue):
    live_publish(running, Progress(cell=1, cells=2, elapsed_s=1, log="x", page=b"y"))
    assert live_read(system_caller(), running).log == ""
    assert live_page(system_caller(), running) is None
