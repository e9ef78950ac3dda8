"""Saved comparisons, renders whose source is other renders' results: by page, API and command."""

import io
import json
import uuid
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client

from apps.visualizations.api import api, auth
from apps.visualizations.exceptions import InvalidRequestError, NotFoundError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services import cancellation
from apps.visualizations.services.again import render_again
from apps.visualizations.services.compared import results_ids
from apps.visualizations.services.comparisons import comparison_create
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/api/v1/comparisons"


@pytest.fixture
def pair(saved, kernel):
    """Two results, each with a notebook."""
    made = [
        saved(f"Curve {name}", run_name=name, pipeline_name="taxi", figures={"auc": value})
        for name, value in (("Monday", 0.7), ("Tuesday", 0.9))
    ]
    for each in made:
        name = default_storage.save(
            f"{each.id}.ipynb", ContentFile(json.dumps({"cells": [], "of": each.title}).encode())
        )
        Render.objects.filter(pk=each.latest_id).update(notebook=name)
    return made


@pytest.fixture
def staged(kernel):
    """Records what the code of the last render finds in its source folder."""
    found = {}

    def read():
        job = kernel.jobs[-1]
        found["results"] = json.loads(Path(job.source, "results.json").read_text())
        found["books"] = [Path(job.source, each["file"]).read_text() for each in found["results"]]

    kernel.during = read
    return found


def test_comparison_renders_results_and_belongs_to_their_pipeline(pair, owner, work, staged):
    made = comparison_create(caller(owner), [each.latest_id for each in pair])
    assert made.is_new
    work()
    assert Render.objects.get(pk=made.render.pk).state == "succeeded"
    first, second = staged["results"]
    assert (first["label"], second["label"]) == ("Curve Monday", "Curve Tuesday")
    assert second["figures"] == [{"name": "auc", "value": 0.9, "unit": "", "better": "higher"}]
    assert [json.loads(each)["of"] for each in staged["books"]] == ["Curve Monday", "Curve Tuesday"]
    saved = Visualization.objects.get(pk=made.visualization.pk)
    assert (saved.type_key, saved.pipeline_name, saved.run_id) == ("comparison", "taxi", "")
    assert saved.title == "Comparison: Curve Monday and Curve Tuesday"


def test_same_comparison_is_reused_and_another_order_is_new(pair, owner, work, kernel):
    ids = [each.latest_id for each in pair]
    first = comparison_create(caller(owner), ids)
    work()
    again, turned = comparison_create(caller(owner), [*ids, ids[0]]), comparison_create(caller(owner), ids[::-1])
    assert (again.is_new, again.render) == (False, first.render)
    assert turned.is_new


def test_rendering_comparison_again_reads_the_same_results(pair, owner, work, staged):
    made = comparison_create(caller(owner), [each.latest_id for each in pair])
    work()
    again = render_again(caller(owner), Visualization.objects.get(pk=made.visualization.pk))
    work()
    assert Render.objects.get(pk=again.pk).state == "succeeded"
    assert len(staged["results"]) == 2


def test_deleted_result_fails_the_comparison_with_its_number(pair, owner, work, kernel):
    made = comparison_create(caller(owner), [each.latest_id for each in pair])
    cancellation.visualization_delete(caller(owner), pair[1])
    work()
    ended = Render.objects.get(pk=made.render.pk)
    assert (ended.state, ended.reason) == ("failed", "source_missing")
    assert "number 2 is gone" in ended.message
    assert kernel.jobs == []


def test_comparison_gets_no_results_of_another_namespace(pair, owner, work, kernel):
    """The namespace of each result must match the comparison's, whatever its row says."""
    made = comparison_create(caller(owner), [each.latest_id for each in pair])
    Visualization.objects.filter(pk=pair[1].pk).update(namespace="team-b")
    work()
    assert Render.objects.get(pk=made.render.pk).reason == "source_missing"
    assert kernel.jobs == []


def test_invalid_comparison_is_refused_with_a_message(pair, saved, owner):
    asking, ids = caller(owner), [each.latest_id for each in pair]
    failed, elsewhere = saved("Broken", state="failed"), saved("Elsewhere", endpoint_key="other")
    for wrong, words in (
        (ids[:1], "two results or more"),
        ([*ids, failed.latest_id], "Only results that succeeded"),
        ([*ids, elsewhere.latest_id], "several namespaces or endpoints"),
    ):
        with pytest.raises(InvalidRequestError, match=words):
            comparison_create(asking, wrong)
    with pytest.raises(NotFoundError):
        comparison_create(asking, [ids[0], pair[0].pk])
    with pytest.raises(InvalidRequestError):
        comparison_create(asking, ids, arguments={"colour": "red"})


@pytest.mark.parametrize("source", ["results:00000000-0000-0000-0000-000000000000", "RESULTS:x,y"])
def test_results_uri_is_refused_as_a_source(source, browser, owner, kubeflow, settings):
    settings.VIZPORTAL_SOURCE_ALLOW = ["/"]
    answer = browser(owner).post(
        "/api/v1/visualizations", {"type": "table", "source": source}, content_type="application/json"
    )
    assert answer.status_code == 400
    assert "source" in answer.json()["error"]["fields"]


def test_comparison_type_is_refused_for_artifacts(browser, owner, kubeflow):
    answer = browser(owner).post(
        "/api/v1/visualizations",
        {"type": "comparison", "run_id": "r1", "step_id": "s1"},
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert "choose them in the gallery" in answer.json()["error"]["message"]


def test_api_creates_lists_and_returns_comparisons(pair, browser, owner, work, staged):
    client = browser(owner)
    asked = {"visualizations": [str(pair[0].id)], "renders": [str(pair[1].latest_id)], "arguments": {"key": ["id"]}}
    made = client.post(ADDRESS, asked, content_type="application/json")
    assert made.status_code == 202, made.content
    assert [each["title"] for each in made.json()["results"]] == ["Curve Monday", "Curve Tuesday"]
    work()
    again = client.post(ADDRESS, asked, content_type="application/json")
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    assert [each["id"] for each in client.get(ADDRESS).json()["items"]] == [made.json()["id"]]
    one = client.get(f"{ADDRESS}/{made.json()['id']}").json()
    assert one["render"]["state"] == "succeeded"
    assert one["results"][1]["figures"][0]["value"] == 0.9
    assert client.get(f"{ADDRESS}/{pair[0].id}").status_code == 404


def test_api_returns_exactly_the_documented_error_codes(pair, saved, browser, owner, reader, settings, monkeypatch):
    client, ids = browser(owner), [str(each.latest_id) for each in pair]
    nobody, away = Client(), Client(headers={"Authorization": "Bearer vzp_x"})

    def post(asked, asking=client):
        return asking.post(ADDRESS, asked, content_type="application/json")

    made = post({"renders": ids}).json()
    one = f"{ADDRESS}/{made['id']}"
    observed = {
        ("GET", ADDRESS): [nobody.get(ADDRESS), client.get(f"{ADDRESS}?page_token=x")],
        ("POST", ADDRESS): [post({"renders": ids}, nobody), post({}), post({"renders": [ids[0], str(uuid.uuid4())]})],
        ("GET", f"{ADDRESS}/{{comparison_id}}"): [nobody.get(one), client.get(f"{ADDRESS}/{uuid.uuid4()}")],
    }
    settings.VIZPORTAL_MAX_QUEUED_PER_USER = 0
    observed["POST", ADDRESS].append(post({"renders": ids[::-1]}))
    settings.VIZPORTAL_DEFAULT_ROLE = "none"
    stranger = browser(reader)
    lists = {"GET": lambda asking: asking.get(ADDRESS), "POST": lambda asking: post({"renders": ids}, asking)}

    def no_database(_raw):
        raise OperationalError("away")

    monkeypatch.setattr(auth, "token_user", no_database)
    for (method, path), answers in observed.items():
        ask = (lambda asking: asking.get(one)) if path != ADDRESS else lists[method]
        answers += [ask(stranger), ask(away)]
    declared = {
        (method.upper(), path): {int(code) for code in operation["responses"] if int(code) >= 400}
        for path, methods in api.get_openapi_schema()["paths"].items()
        if path.startswith(ADDRESS)
        for method, operation in methods.items()
    }
    assert {key: {each.status_code for each in answers} for key, answers in observed.items()} == declared
    assert all(
        set(each.json()["error"]) <= {"code", "message", "fields"} for found in observed.values() for each in found
    )


def test_page_saves_a_comparison_and_links_to_its_results(pair, browser, owner, work, kernel):
    client = browser(owner)
    page = client.get(f"/visualizations/compare/?v={pair[0].id}&v={pair[1].id}").content.decode()
    assert "Draw the differences" in page
    answer = client.post(
        "/visualizations/compare/save", {"r": [str(each.latest_id) for each in pair], "key": "id, day"}
    )
    comparison = Visualization.objects.get(type_key="comparison")
    assert answer["Location"] == comparison.get_absolute_url()
    assert comparison.latest.arguments["key"] == ["id", "day"]
    work()
    shown = client.get(comparison.get_absolute_url()).content.decode()
    for each in pair:
        assert Render.objects.get(pk=each.latest_id).get_absolute_url() in shown
    assert "results:" not in client.get("/visualizations/").content.decode()


def test_page_keeps_selection_if_comparison_cannot_be_saved(pair, browser, owner):
    one = str(pair[0].latest_id)
    answer = browser(owner).post("/visualizations/compare/save", {"r": [one]})
    assert answer["Location"] == f"/visualizations/compare/?r={one}"
    assert Visualization.objects.filter(type_key="comparison").count() == 0


def test_series_page_offers_to_compare_all_runs(pair, browser, owner, kernel):
    from apps.visualizations.services.recipes import recipe_keep
    from apps.visualizations.specs import spec_read

    for number, each in enumerate(pair):
        each.run_id = f"r{number}"
        recipe = recipe_keep(each, spec_read(each.latest))
        each.save()
    page = browser(owner).get(f"/series/{recipe.id}/").content.decode()
    assert "Draw all 2 in one" in page


def test_command_prints_figures_and_saves(pair):
    out = io.StringIO()
    call_command("compare", str(pair[0].id), str(pair[1].latest_id), stdout=out)
    assert "auc: 0.9  +0.2 better" in out.getvalue()
    assert not Visualization.objects.filter(type_key="comparison").exists()
    call_command("compare", *(str(each.id) for each in pair), "--save", "--key", "id", stdout=out)
    comparison = Visualization.objects.get(type_key="comparison")
    assert comparison.get_absolute_url() in out.getvalue()
    assert results_ids(comparison.source_uri) == [each.latest_id for each in pair]
    with pytest.raises(CommandError, match="at least two results"):
        call_command("compare", str(pair[0].id), stdout=out)
