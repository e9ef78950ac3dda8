"""Recurring runs: the list, the page of one, and its actions."""

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


def test_list_shows_schedules_and_tolerates_a_damaged_row(client, scheduled):
    rows = soup(client.get("/recurring/")).select("tbody tr")
    assert [row.select_one(".schedule").text for row in rows] == ["cron 0 0 2 * * *", "every 1h 00m", "not known"]
    assert [row.select_one(".state").text for row in rows] == ["On", "Off", "Not told"]
    assert rows[0].select_one(".name a").text == "nightly <i>"


def test_page_shows_the_schedule_and_its_runs(client, scheduled):
    page = soup(client.get("/recurring/j1/"))
    text = page.get_text(" ", strip=True)
    assert "3 runs at most" in text
    assert "rounds" in text
    assert "made up for" in text
    assert [link["href"] for link in page.select("td.name a")] == ["/runs/r7/"]
    assert "left out" in soup(client.get("/recurring/j2/")).get_text()


def test_recurring_run_can_be_disabled_enabled_and_deleted(client, scheduled):
    assert "The schedule is off" in client.post("/recurring/j1/disable", follow=True).content.decode()
    assert scheduled.recurring[0]["status"] == "DISABLED"
    client.post("/recurring/j1/enable")
    assert scheduled.recurring[0]["status"] == "ENABLED"
    assert client.post("/recurring/j1/delete")["Location"] == "/recurring/"
    assert client.get("/recurring/j1/").status_code == 404
    assert client.post("/recurring/j2/explode").status_code == 404


def test_empty_list_says_what_to_do(client, kubeflow):
    assert "No recurring runs yet" in client.get("/recurring/").content.decode()
