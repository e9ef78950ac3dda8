"""docs/alerts.md: the example creates an alert, and receivers get the documented messages."""

import json

import pytest

from apps.notifications.models import AlertEvent
from tests.docs.collecting import executes
from tests.notifications.conftest import (  # noqa: F401  (fixtures)
    browser,
    ended,
    make,
    owner,
    queue,
    receiver,
    recipe,
    send,
    turn,
    valkey_url,
)

pytestmark = pytest.mark.django_db(transaction=True)


@executes('docs/alerts.md: {"series_id": "0b0f8b3c-8f5b-4c53-9e8e-6f8f3b7f7d2e",')
def test_example_creates_an_alert(block, recipe, ended, browser, owner, receiver):  # noqa: F811
    ended()
    body = json.loads(block) | {"series_id": str(recipe.id)}
    body["targets"][0]["address"] = receiver.url
    answer = browser(owner).post("/api/v1/alerts", json.dumps(body), content_type="application/json")
    assert (answer.status_code, answer.json()["condition"]["percent"]) == (201, True)


@executes('docs/alerts.md: {"event": "figure_crossed",')
def test_message_has_the_documented_fields(block, make, ended, turn, send, receiver):  # noqa: F811
    make()
    ended(0.5)
    turn()
    send()
    shown, sent = json.loads(block), json.loads(receiver.requests[0][2])
    # PostgreSQL stores names in its own order.
    assert sorted(sent) == sorted(shown)
    for name in ("alert", "visualization", "run", "render", "figure"):
        assert set(sent[name]) == set(shown[name])


@executes("docs/alerts.md: import hashlib, hmac, time")
def test_documented_receiver_verifies_the_signature(block, make, ended, turn, receiver, send):  # noqa: F811
    made = make(AlertEvent.RENDER_SUCCEEDED)
    ended()
    turn()
    send()
    [secret] = made.secrets.values()
    [(_, headers, body)] = receiver.requests
    names = ("X-Vizportal-Timestamp", "X-Vizportal-Signature")
    given = {name: headers[name.lower()] for name in names}
    module = {}
    exec(block, module)
    assert module["is_genuine"](secret, given, body)
    assert not module["is_genuine"](secret, given, body + b" ")
    assert not module["is_genuine"]("whsec_other", given, body)
