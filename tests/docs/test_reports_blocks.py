"""docs/reports.md: the example saves a version."""

import pytest

from tests.docs.collecting import executes
from tests.reports.conftest import browser, owner, queue, storage, valkey_url, write  # noqa: F401  (fixtures)

BLOCK = 'docs/reports.md: {"number": 1, "title": "Weekly review", "blocks": [{"kind":'


@pytest.mark.django_db(transaction=True)
@executes(BLOCK)
def test_example_saves_a_version(block, browser, owner, write):  # noqa: F811
    report = write("one")
    answer = browser(owner).generic("PATCH", f"/api/v1/reports/{report.id}", block, content_type="application/json")
    assert (answer.status_code, answer.json()["number"], answer.json()["title"]) == (200, 2, "Weekly review")
