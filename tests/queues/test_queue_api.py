"""Pausing, draining and resuming through the API."""

import json

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.visualizations.models import QueuePause
from tests.callers import token_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ask():
    """Sends a request with a token of a user and returns the response."""

    def sent(user, path, body=None):
        client = Client(headers={"Authorization": f"Bearer {token_of(user)}"})
        if body is None:
            return client.get(f"/api/v1/queue/{path}")
        return client.post(f"/api/v1/queue/{path}", json.dumps(body), content_type="application/json")

    return sent


def test_administrator_drains_and_resumes_a_queue(ask, admin, reader, submit, work, kernel):
    submit()
    seen = []
    kernel.during = lambda: seen.append(ask(admin, "drain", {"environment": "base", "reason": "New  disks"}).json())
    work()
    [drained] = seen
    assert (drained["environment"], drained["reason"], drained["paused_by"]) == ("base", "New disks", "admin")
    assert (drained["running"], drained["drained"]) == (1, False)
    [item] = ask(reader, "pauses").json()["items"]
    assert (item["environment"], item["running"], item["drained"]) == ("base", 0, True)
    assert ask(admin, "resume", {"environment": "base"}).json() == {"resumed": True}
    assert ask(admin, "resume", {"environment": "base"}).json() == {"resumed": False}
    assert ask(reader, "pauses").json()["items"] == []
    assert list(AuditEntry.objects.filter(action__startswith="queue.").values_list("action", flat=True)) in (
        ["queue.pause", "queue.resume"],
        ["queue.resume", "queue.pause"],
    )


@pytest.mark.parametrize("action", ["pause", "drain", "resume"])
def test_only_administrators_pause_drain_and_resume(ask, owner, action):
    answer = ask(owner, action, {"reason": "x"})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"]
    assert not QueuePause.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({"reason": "x", "environment": "nowhere"}, "environment"),
        ({"environment": "base"}, "reason"),
        ({"reason": 7}, "reason"),
    ],
)
def test_invalid_value_is_refused_with_its_field(ask, admin, body, field):
    answer = ask(admin, "pause", body)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert not QueuePause.objects.exists()


def test_pause_without_environment_applies_to_all_queues(ask, admin):
    assert ask(admin, "pause", {"reason": "Move"}).json()["environment"] == ""
    assert ask(admin, "pause", {"reason": "Still moving"}).json()["reason"] == "Still moving"
    assert QueuePause.objects.get().environment == ""
