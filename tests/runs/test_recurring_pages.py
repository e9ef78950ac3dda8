"""Recurring runs: the list, one schedule, and switching it."""

import pytest
from bs4 import BeautifulSoup

from tests.runs.kubeflow import run_row


@pytest.fixture
def scheduled(kubeflow):
    kubeflow.recurring = [
        {
            "recurring_run_id": "j1",
            "display_name": "nightly <i>",
            "status": "ENABLED",
            "created_at": "2026-09-21T10:00:00Z",
            "trigger": {"cron_schedule": {"cron": "0 0 2 * * *"}},
            "max_concurrency": "3",
            "pipeline_version_reference": {"pipeline_id": "p1", "pipeline_version_id": "v1"},
            "runtime_config": {"parameters": {"rounds": 5}},
        },
        {
            "recurring_run_id": "j2",
            "display_name": "hourly",
            "status": "DISABLED",
            "trigger": {"periodic_schedule": {"interval_second": "3600"}},
            "no_catchup": True,
        },
        {},
    ]
    kubeflow.runs.append(run_row("r7", recurring_run_id="j1", display_name="started by it"))
    return kubeflow


def soup(response):
    assert response.status_code == 200, response.content[:500]
    return BeautifulSoup(response.content, "html.parser")


def test_the_list_says_when_each_starts_runs_and_survives_a_damaged_row(client, scheduled):
    rows = soup(client.get("/recurring/")).select("tbody tr")
    assert [row.select_one(".schedule").text for row in rows] == ["cron 0 0 2 * * *", "every 1h 00m", "not known"]
    assert [row.select_one(".state").text for row in rows] == ["On", "Off", "Not told"]
    assert rows[0].select_one(".name a").text == "nightly <i>"


def test_one_schedule_shows_what_it_is_and_the_runs_it_started(client, scheduled):
    page = soup(client.get("/recurring/j1/"))
    text = page.get_text(" ", strip=True)
    assert "3 runs at most" in text
    assert "rounds" in text
    assert "made up for" in text
    assert [link["href"] for link in page.select("td.name a")] == ["/runs/r7/"]
    assert "left out" in soup(client.get("/recurring/j2/")).get_text()


def test_it_is_switched_off_and_on_and_deleted(client, scheduled):
    assert "The schedule is off" in client.post("/recurring/j1/disable", follow=True).content.decode()
    assert scheduled.recurring[0]["status"] == "DISABLED"
    client.post("/recurring/j1/enable")
    assert scheduled.recurring[0]["status"] == "ENABLED"
    assert client.post("/recurring/j1/delete")["Location"] == "/recurring/"
    assert client.get("/recurring/j1/").status_code == 404
    assert client.post("/recurring/j2/explode").status_code == 404


def test_an_empty_list_says_how_one_is_made(client, kubeflow):
    assert "No recurring runs yet" in client.get("/recurring/").content.decode()
