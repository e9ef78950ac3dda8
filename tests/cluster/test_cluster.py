"""An installation on nine machines loses a machine, a web process, its queue and its database, but no render."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from playwright.sync_api import expect

from tests.chromium import chromium
from tests.cluster.balancer import balancer
from tests.cluster.clients import ENDED, SLOW, Clients, ask, insist, workers
from tests.cluster.installation import installation
from tests.cluster.network import can_make_networks, network
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.installation,
    pytest.mark.kernel,
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not can_make_networks(), reason="network namespaces need root and iproute2"),
]
MACHINES = ["web-1", "web-2", "worker-1", "worker-2", "worker-3", "database", "queue", "store", "kubeflow"]
WORKERS = ("worker-1", "worker-2", "worker-3")
PASSWORD = "first light"
PEOPLE = f"""
from django.contrib.auth.models import User
User.objects.create_superuser("ada", password={PASSWORD!r})
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with network(MACHINES) as net, installation(net, tmp_path_factory.mktemp("cluster")) as found:
        found.start_kubeflow()
        for name in ("web-1", "web-2"):
            found.start_web(name)
        for name in WORKERS:
            found.start_worker(name)
        for name in ("worker-1", "worker-2"):
            found.start_reconciler(name)
        servers = [(net.machines[name].address, found.web_port) for name in ("web-1", "web-2")]
        with balancer(net.gateway, servers) as port:
            found.address = (net.gateway, port)
            found.manage("shell", "-v0", stdin=PEOPLE)
            found.token = found.manage("token", "create", "clients", "--user", "ada").strip()
            wait_until(lambda: workers(found) == len(WORKERS), 120, "the workers")
            yield found


@pytest.fixture(scope="module")
def step(house):
    """The ids of the sample run and step that every render belongs to."""

    def find():
        status, answer = ask(house, "GET", "/api/v1/runs")
        runs = [each for each in answer["items"] if each["state"] == "succeeded"] if status == 200 else []
        return runs and runs[0]["id"]

    run_id = wait_until(find, 180, "a sample run")
    steps = insist(house, "GET", f"/api/v1/runs/{run_id}")["steps"]
    return {"run_id": run_id, "step_id": next(each["id"] for each in steps if each["artifacts"])}


def test_two_hundred_renders_of_twenty_clients_survive_every_fault(house, step, capsys):
    """Every render ends once with the right result or reason, and an open page updates by itself."""
    clients = Clients(house, step, count=20, each=10)
    machine = house.network.machines["worker-3"]
    began = time.monotonic()
    told = []

    def fault(words, what):
        told.append(f"{words} at {time.monotonic() - began:.0f} s, {len(clients.ends)} ended")
        what()

    try:
        with ThreadPoolExecutor(20) as pool, chromium() as browser:
            page = _open_page(house, step, browser)
            clients.start(pool)
            clients.await_ended(20)
            fault("worker machine cut off", machine.unplug)
            clients.await_ended(50)
            fault("web process killed", house.processes["web-1"].kill)
            clients.await_ended(80)
            fault("queue stopped", house.queue.stop)
            house.queue.start()
            clients.await_ended(110)
            fault("database stopped", house.database.stop)
            time.sleep(10)  # the fault lasts this long
            fault("database back", house.database.start)
            clients.await_ended(140)
            fault("worker machine back", machine.plug)
            clients.await_ended(200)
            expect(page.locator(".render").first).to_contain_text(re.compile("Succeeded|Lost"), timeout=120_000)
            assert page.evaluate("window.isStillTheSame")
    finally:
        machine.plug()
    took_s = time.monotonic() - began
    again = _check_ends(house, clients.ends)
    # The disconnected machine works again.
    wait_until(lambda: workers(house) == len(WORKERS), 120, "all workers again")
    with capsys.disabled():
        counts = {state: sum(end["state"] == state for _, end in clients.ends.values()) for state in sorted(ENDED)}
        print(f"\n200 renders in {took_s:.0f} s: {counts}, {again} of them tried again. {'; '.join(told)}")


def _open_page(house, step, browser):
    """Signs in, opens the page of a slow render and never reloads it."""
    page = browser.new_context(base_url="http://{}:{}".format(*house.address)).new_page()
    page.set_default_timeout(60_000)
    page.goto("/visualizations/")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/visualizations/")
    code = SLOW.replace("30", "900").format(mark="watched")
    made = insist(house, "POST", "/api/v1/visualizations", step | {"type": "custom", "code": code, "title": "watched"})
    page.goto(made["url"])
    page.evaluate("window.isStillTheSame = true")
    return page


def _check_ends(house, ends):
    """Checks every row and every page; returns the number of renders that were retried."""
    assert len(ends) == 200
    with psycopg.connect(house.database.url) as database:
        states = {row[0] for row in database.execute("SELECT DISTINCT state FROM visualizations_render")}
        again = database.execute("SELECT count(*) FROM visualizations_render WHERE attempt > 1").fetchone()[0]
    assert states <= ENDED
    for title, (body, render) in ends.items():
        if body["type"] == "custom" and render["state"] == "lost":
            assert render["reason"] == "worker_lost", render
            continue
        assert render["state"] == "succeeded", render
        html = insist(house, "GET", render["content_url"])
        assert (f"mark{title}" if body["type"] == "table" else f"slow {title} done") in html, (title, html[:300])
    return again


def test_workers_finish_their_render_after_sigterm(house, step):
    """As in a rolling upgrade: after SIGTERM the render continues to its end."""
    body = step | {"type": "custom", "code": SLOW.format(mark="drain"), "title": "drain"}
    render = insist(house, "POST", "/api/v1/visualizations", body)["render"]["id"]
    look = f"/api/v1/renders/{render}"
    wait_until(lambda: insist(house, "GET", look)["state"] == "running", 60, "the render's start")
    for name in WORKERS:
        house.processes[name].end()
    assert [house.processes[name].wait(60) for name in WORKERS] == [0, 0, 0]
    assert insist(house, "GET", look)["state"] == "succeeded"
