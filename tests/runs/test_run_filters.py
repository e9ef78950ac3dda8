"""The queries, saved values and fields of the run list's filters, without a page."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import unquote_plus

import pytest
from django.http import QueryDict

from apps.runs.entities import State
from apps.runs.filter_fields import Place
from apps.runs.gateway.filters import MOST_IDS, SORTS, RunQuestion, name_filter, run_filter, sort_by
from apps.runs.run_filters import RunFilterForm

NOT_ARCHIVED = {"operation": "NOT_EQUALS", "key": "storage_state", "string_value": "ARCHIVED"}


def predicates(**question):
    first, *others = json.loads(run_filter(RunQuestion(**question)))["predicates"]
    assert first == NOT_ARCHIVED
    return others


def form(address):
    return RunFilterForm(QueryDict(address))


def test_default_filter_excludes_only_archived_runs():
    assert predicates() == []
    archived = json.loads(run_filter(RunQuestion(archived=True)))
    assert archived == {"predicates": [{**NOT_ARCHIVED, "operation": "EQUALS"}]}
    assert RunQuestion().sort == "-created"


@pytest.mark.parametrize(
    ("question", "sent"),
    [
        ({"text": "taxi"}, {"operation": "IS_SUBSTRING", "key": "name", "string_value": "taxi"}),
        (
            {"text": r"50%_of\all+more"},
            {"operation": "IS_SUBSTRING", "key": "name", "string_value": r"50\%\_of\\all+more"},
        ),
        ({"states": (State.FAILED,)}, {"operation": "EQUALS", "key": "state", "string_value": "FAILED"}),
        (
            {"states": (State.PENDING, State.CACHED)},
            {"operation": "IN", "key": "state", "string_values": {"values": ["PENDING", "PAUSED", "CACHED"]}},
        ),
        ({"recurring_run_id": "s1"}, {"operation": "EQUALS", "key": "recurring_run_id", "string_value": "s1"}),
        (
            {"created_from": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)},
            {"operation": "GREATER_THAN_EQUALS", "key": "created_at", "timestamp_value": "2026-01-02T03:04:05Z"},
        ),
        (
            {"created_before": datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))},
            {"operation": "LESS_THAN", "key": "created_at", "timestamp_value": "2026-01-02T01:00:00Z"},
        ),
        ({"run_ids": ("a",)}, {"operation": "EQUALS", "key": "run_id", "string_value": "a"}),
        ({"run_ids": ()}, {"operation": "IN", "key": "run_id", "string_values": {"values": []}}),
    ],
)
def test_each_filter_becomes_one_kubeflow_predicate(question, sent):
    assert predicates(**question) == [sent]


def test_filter_survives_double_url_decoding():
    sent = run_filter(RunQuestion(text="a+b 100% é"))
    assert unquote_plus(sent) == sent
    assert json.loads(sent)["predicates"][1]["string_value"] == r"a+b 100\% é"
    assert unquote_plus(name_filter("1+1%")) == name_filter("1+1%")


def test_run_ids_are_limited_to_the_servers_maximum():
    ids = tuple(map(str, range(MOST_IDS + 1)))
    [sent] = predicates(run_ids=ids)
    assert sent["string_values"]["values"] == list(ids[:-1])


def test_sort_order_is_always_sent():
    assert {key: sort_by(key) for key in SORTS} == {
        "-created": "created_at desc",
        "created": "created_at asc",
        "name": "name asc",
        "-name": "name desc",
        "-finished": "finished_at desc",
        "finished": "finished_at asc",
    }
    assert sort_by("size") == "created_at desc"


def test_name_filter_matches_a_substring():
    assert name_filter("") == ""
    sent = {"operation": "IS_SUBSTRING", "key": "name", "string_value": "a"}
    assert json.loads(name_filter("a")) == {"predicates": [sent]}


def test_query_string_becomes_a_question():
    asked = form(
        "q=taxi&state=FAILED&state=running&state=failed&pipeline=p1&experiment=e1&recurring=s1&from=2026-01-02"
        "&to=2026-01-03&since=1h&tag=best&archived=1&sort=name&size=50&page=next"
    ).filters()
    assert asked.question == RunQuestion(
        text="taxi",
        states=(State.FAILED, State.RUNNING),
        experiment_id="e1",
        recurring_run_id="s1",
        created_from=datetime(2026, 1, 2, tzinfo=UTC),
        created_before=datetime(2026, 1, 4, tzinfo=UTC),
        archived=True,
        sort="name",
    )
    assert (asked.tag, asked.pipeline_id, asked.page_size, asked.page_token) == ("best", "p1", 50, "next")


@pytest.mark.parametrize(
    "address", ["", "state=exploded&from=tomorrow&to=1999-01-01&since=2y&sort=x&size=7&archived=?"]
)
def test_missing_or_invalid_filters_select_the_newest_runs(address):
    empty = form(address)
    asked = empty.filters()
    assert asked.question == RunQuestion()
    assert (asked.tag, asked.pipeline_id, asked.page_size, asked.page_token) == ("", "", 20, "")
    assert (empty.chips(), empty.saved_query()) == ([], "")


@pytest.mark.parametrize(
    ("key", "length"),
    [
        ("1h", timedelta(hours=1)),
        ("24h", timedelta(days=1)),
        ("7d", timedelta(days=7)),
        ("30d", timedelta(days=30)),
        ("90d", timedelta(days=90)),
    ],
)
def test_period_ends_now_and_starts_at_a_full_minute(key, length):
    before = datetime.now(UTC)
    question = form(f"since={key}").filters().question
    assert before - length - timedelta(minutes=1) < question.created_from <= datetime.now(UTC) - length
    assert (question.created_from.second, question.created_from.microsecond) == (0, 0)
    assert question.created_before is None


@pytest.mark.parametrize("word", ["1", "on", "TRUE", "yes", "y", "t"])
def test_several_words_mean_true(word):
    assert form(f"archived={word}").values["archived"] is True


@pytest.mark.parametrize("word", ["", "0", "off", "False", "no", "n", "f"])
def test_several_words_mean_false(word):
    asked = form(f"archived={word}")
    assert asked.values["archived"] is False
    assert asked.api_errors() == {}


def test_api_errors_name_only_parameters_of_the_api():
    wrong = form("state=exploded&from=tomorrow&archived=perhaps&size=7&to=2201-01-01").api_errors()
    assert set(wrong) == {"state", "from", "archived", "to"}
    assert wrong["from"] == "Write a day as YYYY-MM-DD."
    assert wrong["archived"] == "Write 1 or 0."


def test_every_set_filter_has_a_chip_that_removes_it():
    chips = form(
        "q=taxi&state=failed&state=running&pipeline=p1&experiment=e1&recurring=s1&from=2026-01-02&tag=best&archived=1"
        "&sort=name&size=50"
    ).chips()
    assert {chip.label: list(chip.changes.items()) for chip in chips} == {
        "name contains “taxi”": [("q", None), ("page", None)],
        "state: failed, running": [("state", None), ("page", None)],
        "pipeline: p1": [("pipeline", None), ("page", None)],
        "experiment: e1": [("experiment", None), ("page", None)],
        "started by: s1": [("recurring", None), ("page", None)],
        "created 2026-01-02 to today": [("from", None), ("to", None), ("page", None)],
        "tag: best": [("tag", None), ("page", None)],
        "archived": [("archived", None), ("page", None)],
    }
    assert [chip.label for chip in form("to=2026-01-02").chips()] == ["created the beginning to 2026-01-02"]
    assert [chip.label for chip in form("since=7d").chips()] == ["last 7 days"]


def test_offered_names_include_an_unknown_chosen_id():
    asked = form("pipeline=p9")
    asked.offer(pipeline_id={"p1": "taxi"})
    assert asked.fields["pipeline_id"].widget.choices == [("", "All"), ("p1", "taxi"), ("p9", "p9")]
    known = form("pipeline=p1")
    known.offer(pipeline_id={"p1": "taxi"})
    assert [chip.label for chip in known.chips()] == ["pipeline: taxi"]


def test_saved_query_has_valid_filters_without_the_page():
    asked = form("page=2&tag=best&q=taxi&state=failed&state=running&from=tomorrow&metric=auc&metric=&size=50")
    assert asked.saved_query() == "q=taxi&state=failed&state=running&tag=best&size=50&metric=auc"


def test_fields_are_in_the_first_row_or_in_more_filters():
    asked = form("")
    assert [field.name for field in asked.first_row()] == [
        "text",
        "states",
        "pipeline_id",
        "experiment_id",
        "recurring_run_id",
        "since",
    ]
    assert [field.name for field in asked.more()] == [
        "first_day",
        "last_day",
        "tag",
        "archived",
        "sort",
        "page_size",
    ]


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("", False),
        ("q=taxi&state=failed&sort=name&size=50", False),
        ("tag=best", True),
        ("metric=auc", True),
        ("from=tomorrow", True),
        ("to=2026-01-02", True),
    ],
)
def test_more_filters_is_open_if_one_is_set_or_invalid(address, is_open):
    assert form(address).is_more_open() is is_open


def test_metric_names_are_unique_and_limited_in_length():
    assert form("metric=auc&metric=loss&metric=auc").values["metrics"] == ("auc", "loss")
    assert form(f"metric={'x' * 200}").values["metrics"] == ("x" * 200,)
    assert form(f"metric={'x' * 201}").values["metrics"] == ()


@pytest.mark.parametrize(("day", "is_right"), [("2015-01-01", True), ("2014-12-31", False), ("2200-01-01", True)])
def test_days_are_limited_to_a_valid_range(day, is_right):
    assert form(f"from={day}").values["first_day"] == (date.fromisoformat(day) if is_right else None)


def test_shown_fields_have_labels_and_api_fields_have_descriptions():
    filters = form("").fields
    shown = [name for name, each in filters.items() if each.place is not Place.NOWHERE and not each.widget.is_hidden]
    assert {name: filters[name].label for name in shown} == {
        "text": "Name",
        "states": "Status",
        "pipeline_id": "Pipeline",
        "experiment_id": "Experiment",
        "since": "Created",
        "first_day": "From day (UTC)",
        "last_day": "To day",
        "tag": "Tag",
        "archived": "Archived",
        "sort": "Order",
        "page_size": "Rows",
    }
    assert [name for name, each in filters.items() if each.is_in_api and len(each.help_text) < 3] == []
    only_shown = {each.parameter for each in filters.values() if not each.is_in_api}
    assert only_shown == {"size", "metric", "page"}


def test_only_offered_choices_are_accepted():
    offered = {name: form("").fields[name].choices for name in ("sort", "page_size", "since")}
    assert [key for key, _label in offered["sort"]] == list(SORTS)
    assert [str(size) for size, _label in offered["page_size"]] == ["20", "50", "100", "200"]
    assert all(form(f"sort={key}").filters().question.sort == key for key in SORTS)
    assert [form(f"size={size}").filters().page_size for size in (20, 50, 100, 200, 500)] == [20, 50, 100, 200, 20]
    states = dict(form("").fields["states"].widget.choices)
    assert states == {"": "All"} | {state.value: state.label for state in State if state.is_selectable}


def test_page_token_may_have_2000_characters():
    assert form("page=" + "x" * 2000).filters().page_token == "x" * 2000
    assert form("page=" + "x" * 2001).filters().page_token == ""


def test_search_field_has_placeholder_and_schedule_is_hidden():
    fields = form("").fields
    assert 'placeholder="Part of a name"' in str(form("")["text"])
    assert "data-search" in str(form("")["text"])
    assert fields["recurring_run_id"].widget.is_hidden
