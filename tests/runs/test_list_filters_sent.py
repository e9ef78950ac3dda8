"""Name filters in the form that the server needs: it decodes them once more than HTTP does, and uses LIKE."""

from __future__ import annotations

import json
from urllib.parse import unquote_plus

import pytest

from apps.runs.gateway import filters
from apps.runs.gateway.filters import RunQuestion


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("a+b", "a+b"),
        ("50%", r"50\%"),
        ("under_score", r"under\_score"),
        ("back\\slash", r"back\\slash"),
        ("é ä", "é ä"),
    ],
)
def test_name_is_sent_as_an_escaped_pattern(text, pattern):
    sent = filters.run_filter(RunQuestion(text=text))
    read = json.loads(unquote_plus(sent))["predicates"][1]
    assert read == {"operation": "IS_SUBSTRING", "key": "name", "string_value": pattern}


def test_no_percent_sign_is_sent():
    assert "%" not in filters.name_filter("100%")
