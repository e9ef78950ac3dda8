"""HTML of a page escapes all data, and aligns the columns of tables."""

import json
import re

import pytest
from vizkit import html


@pytest.mark.parametrize(
    ("column", "is_words"),
    [
        (["train", "validation", ""], True),
        ([1.5, None, 2], False),
        (["< 0.01 %", "12.5 %", "-3", ".5", "1,234 of 2,000"], False),
        (["above all", "0.71", "0.83"], False),
        ([None, ""], False),
    ],
)
def test_text_column_is_not_aligned_as_numbers(column, is_words):
    table = html.table(["Name", "Column"], [("row", each) for each in column])
    assert ("vk-words-2" in table) is is_words
    assert "vk-words" not in html.table(["Name", "Column"], [("row", each) for each in column], numbers=False)


def test_json_text_is_safe_in_script_and_has_no_nan():
    value = {"a": float("nan"), "b": [float("inf"), 1.5], "c": "</script>\u2028", 1: None}
    text = html.json_text(value)
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text) == {"a": None, "b": [None, 1.5], "c": "</script>\u2028", "1": None}
    assert html.json_text({"a": 1.0}) == '{"a":1.0}'
    with pytest.raises(ValueError, match="JSON"):
        html.json_of_texts([float("nan")])


def test_text_is_always_escaped():
    assert re.findall(r"<(\w+)", html.table(["<b>"], [["<i>"]], caption="<u>")) == [
        *("div", "table", "caption", "thead", "tr", "th", "tbody", "tr", "td"),
    ]
