"""docs/sharing.md: the example creates a link."""

import json

import pytest

from tests.docs.collecting import executes
from tests.reports.conftest import again, browser, owner, queue, saved, storage, valkey_url  # noqa: F401  (fixtures)

BLOCK = 'docs/sharing.md: {"visualization_id": "0b0f8b3c-8f5b-4c53-9e8e-6f8f3b7f7d2e",'


@pytest.mark.django_db(transaction=True)
@executes(BLOCK)
def test_example_creates_a_link(block, browser, owner, saved):  # noqa: F811
    body = json.dumps(json.loads(block) | {"visualization_id": str(saved().id)})
    answer = browser(owner).generic("POST", "/api/v1/shares", body, content_type="application/json")
    assert (answer.status_code, answer.json()["origins"]) == (201, ["https://wiki.example.com"])
