"""docs/rules.md: the example creates a rule."""

import json

import pytest

from tests.docs.collecting import executes
from tests.rules.conftest import (  # noqa: F401  (fixtures)
    add_run,
    browser,
    kernel,
    kubeflow,
    owner,
    queue,
    recipe,
    valkey_url,
    work,
)

BLOCK = 'docs/rules.md: {"series_id": "0b0f8b3c-8f5b-4c53-9e8e-6f8f3b7f7d2e", "condi'


@pytest.mark.django_db(transaction=True)
@executes(BLOCK)
def test_example_creates_a_rule(block, recipe, browser, owner):  # noqa: F811
    body = json.dumps(json.loads(block) | {"series_id": str(recipe.id)})
    answer = browser(owner).generic("POST", "/api/v1/rules", body, content_type="application/json")
    assert (answer.status_code, answer.json()["conditions"]["pipeline"]) == (201, "taxi*")
