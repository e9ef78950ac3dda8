"""The run list: filters, tags, saved filters, metric columns, and actions on selected rows."""

import json
from datetime import date
from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth import get_user_model
from django.http import QueryDict
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.runs.entities import State
from apps.runs.gateway.filters import SORTS
from apps.runs.models import RunMetrics, RunTag, SavedFilter
from apps.runs.run_filters import RunFilterForm
from tests.runs.kubeflow import run_row


def soup(response, status=200):
    assert response.status_code == status, response.content[:500]
    return BeautifulSoup(response.content, "html.parser")


def names(client, query=""):
    page = soup(client.get(f"/runs/{query}"))
    return [row.select_one(".name a").text for row in page.select("tbody tr")]


def predicates(kubeflow):
    asked = [query["filter"] for query in kubeflow.queries if "storage_state" in query.get("filter", "")]
    return {each["key"]: each for each in json.loads(asked[-1])["predicates"]}


@pytest.mark.parametrize(
    ("query", "expected", "wrong"),
    [
        ("state=failed&state=RUNNING&state=failed", {"states": (State.FAILED, State.RUNNING)}, []),
        ("state=cached", {"states": (State.CACHED,)}, []),
        ("since=7d", {"since": "7d"}, []),
        ("since=7d&from=2026-09-01", {"since": "", "first_day": date(2026, 9, 1)}, []),
        (
            "since=forever&from=tomorrow&to=9999-12-31",
            {"since": "", "first_day": None, "last_day": None},
            ["since", "first_day", "last_day"],
        ),
        ("tag=%20good%20&recurring=j1", {"tag": "good", "recurring_run_id": "j1"}, []),
        ("archived=1", {"archived": True}, []),
        ("archived=0", {"archived": False}, []),
        ("archived=perhaps", {"archived": False}, ["archived"]),
        ("metric=b&metric=a&metric=b&metric=", {"metrics": ("b", "a")}, []),
        ("q=a%00b&pipeline=" + "x" * 201, {"text": "", "pipeline_id": ""}, ["text", "pipeline_id"]),
        (
            "state=exploded&size=7&sort=drop",
            {"states": (), "page_size": 20, "sort": "-created"},
            ["states", "sort", "page_size"],
        ),
    ],
)
def test_query_string_is_parsed_and_invalid_values_are_ignored(query, expected, wrong):
    form = RunFilterForm(QueryDict(query))
    assert {name: form.values[name] for name in expected} == expected
    assert list(form.errors) == wrong


def test_offered_sort_orders_match_the_supported_ones():
    assert set(RunFilterForm(QueryDict()).fields["sort"].labels) == set(SORTS)


def test_day_range_and_states_are_sent_to_kubeflow(client, kubeflow):
    kubeflow.runs += [run_row("r2", created_at="2026-09-22T00:00:00Z", display_name="later", state="FAILED")]
    assert names(client, "?from=2026-09-22&to=2026-09-22&state=failed&state=running") == ["later"]
    asked = predicates(kubeflow)
    assert asked["state"]["string_values"]["values"] == ["FAILED", "RUNNING", "CANCELING"]
    assert names(client, "?to=2026-09-21") == ["run r1"]
    assert predicates(kubeflow)["created_at"] == {
        "key": "created_at",
        "operation": "LESS_THAN",
        "timestamp_value": "2026-09-22T00:00:00Z",
    }
    page = soup(client.get("/runs/?from=2026-09-22"))
    chip = page.select_one(".chips .chip")
    assert "created 2026-09-22 to today" in chip.text
    assert "from=" not in chip["href"]


def test_period_start_is_rounded_to_the_minute(client, kubeflow):
    soup(client.get("/runs/?since=24h"))
    soup(client.get("/runs/?since=24h"))
    bounds = {query["filter"] for query in kubeflow.queries if "created_at" in query.get("filter", "")}
    assert len(bounds) <= 2
    assert all(bound.count(':00Z"') == 1 for bound in bounds)


def test_tags_can_be_added_shown_filtered_and_removed(client, kubeflow):
    kubeflow.runs += [run_row("r2", display_name="other")]
    answer = client.post(
        "/runs/selection", {"action": "tag", "run": ["r1"], "tag": "  good   <b>one</b> "}, follow=True
    )
    page = soup(answer)
    assert page.select_one(".chip.tag").text == "good <b>one</b>"
    assert "Tagged 1 run with “good <b>one</b>”." in page.select_one(".banner").text
    assert names(client, "?tag=good+%3Cb%3Eone%3C/b%3E") == ["run r1"]
    assert "good <b>one</b>" in soup(client.get("/runs/r1/")).select_one(".run-tags").text
    client.post("/runs/r1/tags", {"remove": "good <b>one</b>"})
    assert not RunTag.objects.exists()
    assert "No run matches" in client.get("/runs/?tag=gone").content.decode()


@pytest.mark.parametrize(("tag", "words"), [("", "Type a tag."), ("x" * 41, "at most 40 characters")])
def test_invalid_tag_is_refused_with_a_message(client, kubeflow, tag, words):
    answer = client.post("/runs/selection", {"action": "tag", "run": ["r1"], "tag": tag}, follow=True)
    assert words in answer.content.decode()
    assert not RunTag.objects.exists()


def test_invisible_run_cannot_be_tagged(client, kubeflow):
    answer = client.post("/runs/selection", {"action": "tag", "run": ["r1", "secret"], "tag": "mine"})
    assert answer.status_code == 404
    assert client.post("/runs/secret/tags", {"tag": "mine"}).status_code == 404
    assert not RunTag.objects.exists()


def test_metrics_become_columns_and_are_stored(client, kubeflow):
    page = soup(client.get("/runs/"))
    loader = page.select_one("[hx-get^='/runs/metrics']")
    assert loader["hx-trigger"] == "load"
    part = soup(client.get(loader["hx-get"]))
    assert [head.text for head in part.select("th.metric")] == ["accuracy", "auc"]
    assert [cell.text for cell in part.select("tbody tr td.num")[-2:]] == ["0.91", "0.87"]
    assert not part.select("[hx-get^='/runs/metrics']")
    kubeflow.requests.clear()
    again = soup(client.get("/runs/"))
    assert [cell.text for cell in again.select("tbody tr td.num")[-2:]] == ["0.91", "0.87"]
    assert not again.select("[hx-get^='/runs/metrics']")
    assert len(kubeflow.requests) == 3
    assert RunMetrics.objects.get().values == {"accuracy": 0.91, "auc": 0.87}


def test_metrics_of_unreadable_or_active_runs_are_not_stored(client, kubeflow):
    kubeflow.lineage_status = 503
    part = soup(client.get("/runs/metrics"))
    assert not part.select("th.metric")
    assert not part.select("[hx-get^='/runs/metrics']")
    assert not RunMetrics.objects.exists()


def test_metrics_of_a_retried_run_are_read_again(client, kubeflow):
    client.get("/runs/metrics")
    kubeflow.runs[0]["finished_at"] = "2026-09-22T12:00:00Z"
    assert soup(client.get("/runs/")).select("[hx-get^='/runs/metrics']")


def test_metric_columns_are_chosen_in_the_query_string(client, kubeflow):
    client.get("/runs/metrics")
    page = soup(client.get("/runs/?metric=auc"))
    assert [head.text for head in page.select("th.metric")] == ["auc"]
    assert [box["value"] for box in page.select("input[name=metric][checked]")] == ["auc"]


def test_filter_can_be_saved_shared_and_deleted(client, kubeflow):
    client.post("/runs/filters/save", {"query": "state=failed&page=xyz&since=7d", "name": "red", "shared": "1"})
    saved = SavedFilter.objects.get()
    assert saved.query == "state=failed&since=7d"
    assert soup(client.get("/runs/")).select_one(".saved-filter a")["href"] == "/runs/?state=failed&since=7d"
    other = Client()
    other.force_login(get_user_model().objects.create_user("eve"))
    offered = soup(other.get("/runs/")).select_one(".saved-filter")
    assert "by ada" in offered.text
    assert not offered.select("form")
    assert other.post(f"/runs/filters/{saved.pk}/delete").status_code == 404
    client.post(f"/runs/filters/{saved.pk}/delete")
    assert not SavedFilter.objects.exists()


def test_saved_filter_has_all_filters_without_page_and_invalid_values(client, kubeflow):
    samples = {
        "q": "a b",
        "state": "failed",
        "pipeline": "p1",
        "experiment": "e1",
        "recurring": "j1",
        "since": "7d",
        "from": "2026-09-22",
        "to": "2026-09-22",
        "tag": "x",
        "archived": "1",
        "sort": "name",
        "size": "50",
        "metric": "auc",
    }
    parameters = [field.parameter for field in RunFilterForm(QueryDict()).fields.values()]
    assert parameters == [*samples, "page"]
    for name, value in samples.items():
        query = urlencode({name: value, "page": "2", "unread": "1"})
        client.post("/runs/filters/save", {"query": query, "name": name})
        assert SavedFilter.objects.get(name=name).query == urlencode({name: value})
    client.post("/runs/filters/save", {"query": "q=x&since=forever&size=7", "name": "part"})
    assert SavedFilter.objects.get(name="part").query == "q=x"


@pytest.mark.parametrize(
    ("query", "label", "rest"),
    [
        ("q=run", "name contains “run”", ""),
        ("state=failed&state=running", "state: failed, running", ""),
        ("pipeline=p1", "pipeline: tips", ""),
        ("experiment=e1&sort=name", "experiment: Default", "?sort=name"),
        ("pipeline=gone", "pipeline: gone", ""),
        ("recurring=j1", "started by: j1", ""),
        ("since=7d&page=x", "last 7 days", ""),
        ("to=2026-09-22&from=2026-09-21", "created 2026-09-21 to 2026-09-22", ""),
        ("to=2026-09-22", "created the beginning to 2026-09-22", ""),
        ("tag=x", "tag: x", ""),
        ("archived=1", "archived", ""),
    ],
)
def test_filter_has_a_chip_that_removes_it(client, kubeflow, query, label, rest):
    page = soup(client.get(f"/runs/?{query}"))
    (chip,) = page.select(".chips .chip")
    assert chip.find(string=True).strip() == label
    assert chip["href"] == (rest or "/runs/")


@pytest.mark.parametrize(
    ("name", "value"),
    [("pipeline", "p1"), ("pipeline", "gone"), ("state", "failed"), ("since", "7d"), ("tag", "x"), ("size", "50")],
)
def test_form_shows_the_current_filter(client, kubeflow, name, value):
    page = soup(client.get(f"/runs/?{name}={value}"))
    assert [option["value"] for option in page.select(f"#{name} option[selected]")] == [value]


def test_form_keeps_hidden_filters(client, kubeflow):
    page = soup(client.get("/runs/?recurring=j1&archived=1&from=2026-09-22"))
    assert page.select_one("input[type=hidden][name=recurring]")["value"] == "j1"
    assert page.select_one("#archived[checked]")["value"] == "1"
    assert page.select_one("#from")["value"] == "2026-09-22"
    assert page.select_one(".more-filters").has_attr("open")
    assert not soup(client.get("/runs/?q=x&sort=name")).select_one(".more-filters").has_attr("open")


def test_saved_filter_needs_a_name_and_a_filter(client, kubeflow):
    for form in ({"query": "state=failed", "name": " "}, {"query": "page=2", "name": "x"}):
        assert "type a name" in client.post("/runs/filters/save", form, follow=True).content.decode()
    assert not SavedFilter.objects.exists()


def test_selected_runs_are_archived_and_undone(client, kubeflow):
    kubeflow.runs += [run_row("r2"), run_row("r3")]
    page = soup(client.post("/runs/selection", {"action": "archive", "run": ["r1", "r2"]}, follow=True))
    assert "Archived 2 runs." in page.select_one(".banner").text
    assert [row["storage_state"] for row in kubeflow.runs] == ["ARCHIVED", "ARCHIVED", "AVAILABLE"]
    undo = page.select_one(".banner form")
    client.post(undo["action"], {"next": "/runs/"})
    assert [row["storage_state"] for row in kubeflow.runs] == ["AVAILABLE"] * 3
    assert "nothing to undo" not in client.get("/runs/").content.decode()
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"sign_in", "run.archive", "run.unarchive"}


def test_archiving_a_single_run_can_be_undone(client, kubeflow):
    page = soup(client.post("/runs/r1/archive", follow=True))
    assert page.select_one(".banner form")["action"] == "/runs/undo"


def test_tags_are_deleted_with_their_run(client, kubeflow):
    kubeflow.runs[0]["storage_state"] = "ARCHIVED"
    client.post("/runs/selection", {"action": "tag", "run": ["r1"], "tag": "x"})
    client.post("/runs/selection", {"action": "delete", "run": ["r1"]})
    assert ("DELETE", "/apis/v2beta1/runs/r1") in kubeflow.requests
    assert not RunTag.objects.exists()


@pytest.mark.parametrize(("chosen", "words"), [([], "Tick the runs first"), (["r1"], "Tick two to 10 runs")])
def test_comparing_too_few_runs_shows_a_message(client, kubeflow, chosen, words):
    assert words in client.post("/runs/selection", {"action": "compare", "run": chosen}, follow=True).content.decode()


def test_compare_action_redirects_to_the_comparison(client, kubeflow):
    answer = client.post("/runs/selection", {"action": "compare", "run": ["r1", "r2"]})
    assert answer["Location"] == "/runs/compare/?run=r1&run=r2"


@pytest.mark.parametrize("next_path", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_redirect_to_another_site_is_refused(client, kubeflow, next_path):
    answer = client.post("/runs/selection", {"action": "compare", "next": next_path})
    assert answer["Location"] == "/runs/"


def test_unknown_action_returns_404(client, kubeflow):
    assert client.post("/runs/selection", {"action": "explode", "run": ["r1"]}).status_code == 404


def test_api_accepts_the_same_filters(client, kubeflow):
    kubeflow.runs += [run_row("r2", created_at="2026-09-22T00:00:00Z", state="FAILED")]
    answer = client.get("/api/v1/runs?from=2026-09-22&state=failed&state=running").json()
    assert [run["id"] for run in answer["items"]] == ["r2"]
    client.post("/runs/selection", {"action": "tag", "run": ["r1"], "tag": "x"})
    assert [run["id"] for run in client.get("/api/v1/runs?tag=x").json()["items"]] == ["r1"]
    error = client.get("/api/v1/runs?state=exploded&since=forever&size=7").json()["error"]
    assert error["code"] == "invalid"
    assert sorted(error["fields"]) == ["since", "state"]
    assert "exploded" in error["fields"]["state"]


def test_openapi_describes_the_filters(client, kubeflow):
    operation = client.get("/api/v1/openapi.json").json()["paths"]["/api/v1/runs"]["get"]
    described = {each["name"]: each for each in operation["parameters"]}
    filters = [field.parameter for field in RunFilterForm(QueryDict()).fields.values() if field.is_in_api]
    assert set(described) == {*filters, "endpoint", "namespace", "page_size", "page_token"}
    assert described["state"]["schema"]["items"]["enum"] == [state.value for state in State]
    assert described["since"]["schema"]["enum"] == ["1h", "24h", "7d", "30d", "90d"]
    assert described["from"]["schema"] == {"type": "string", "format": "date"}
    assert described["archived"]["schema"] == {"type": "boolean"}
    assert all(described[name]["description"] for name in filters)
