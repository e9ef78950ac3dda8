"""The gallery: filters, sort orders and bulk actions."""

import csv
import hashlib
import io
import re
import zipfile
from datetime import UTC, datetime

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from apps.gallery import selectors
from apps.gallery.filters import GalleryForm
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services import cancellation, indexing, pruning, titles
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)


def found(user, **query):
    chosen = selectors.visualizations_find(caller(user), GalleryForm(query).filters())
    return [Visualization.objects.get(id=each).title for each in chosen.ids]


@pytest.fixture
def several(saved, reader):
    saved("Curve A", type_key="roc_curve", pipeline_name="taxi", run_name="Monday", figures={"auc": 0.7})
    saved("Curve B", type_key="roc_curve", pipeline_name="taxi", run_name="Tuesday", figures={"auc": 0.9})
    saved("Table C", pipeline_name="iris", by=reader, figures={"rows": 3.0})
    saved("Broken D", state="failed", pipeline_name="iris")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"Curve A", "Curve B", "Table C"}),
        ({"q": "CURVE tuesday"}, {"Curve B"}),
        ({"q": "reader"}, {"Table C"}),
        ({"q": "100%"}, set()),
        ({"type": "ROC_curve"}, {"Curve A", "Curve B"}),
        ({"pipeline": "iris"}, {"Table C"}),
        ({"pipeline": "iris", "state": "all"}, {"Table C", "Broken D"}),
        ({"state": "failed"}, {"Broken D"}),
        ({"owner": "reader"}, {"Table C"}),
        ({"since": "2100-01-01"}, set()),
        ({"until": "2016-01-01"}, set()),
        ({"favourites": "1"}, set()),
        ({"pinned": "1"}, set()),
        ({"before": "2016-01-01T00:00:00+00:00"}, set()),
    ],
)
def test_filters(several, owner, query, expected):
    assert set(found(owner, **query)) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["Table C", "Curve B", "Curve A"]),
        ("created", ["Curve A", "Curve B", "Table C"]),
        ("title", ["Curve A", "Curve B", "Table C"]),
        ("-title", ["Table C", "Curve B", "Curve A"]),
        ("-figure:auc", ["Curve B", "Curve A"]),
        ("figure:auc", ["Curve A", "Curve B"]),
    ],
)
def test_sort_orders(several, owner, sort, expected):
    assert found(owner, sort=sort) == expected


def test_date_filters_include_both_days(saved, owner):
    for day in (1, 2, 3):
        one = saved(f"of day {day}")
        Visualization.objects.filter(id=one.id).update(created_at=datetime(2026, 3, day, 23, 59, 59, tzinfo=UTC))
    assert set(found(owner, since="2026-03-02", until="2026-03-02")) == {"of day 2"}


@pytest.mark.parametrize(
    "query", [{"since": "yesterday"}, {"before": "now"}, {"sort": "size"}, {"state": "odd"}, {"pinned": "?"}]
)
def test_invalid_filter_is_reported_and_not_applied(several, owner, browser, query):
    page = browser(owner).get("/visualizations/", query).content.decode()
    assert "This filter is not applied." in page
    assert page.count("data-row") == 3


def test_facets_count_the_found_visualizations(several, owner):
    counted = selectors.visualizations_find(caller(owner), GalleryForm({"state": "all"}).filters()).facets
    assert dict(counted["type"]) == {"roc_curve": 2, "table": 2}
    assert dict(counted["pipeline"]) == {"taxi": 2, "iris": 2}
    assert dict(counted["owner"]) == {"owner": 3, "reader": 1}


def test_pinned_visualizations_come_first(saved, owner):
    old, _ = saved("old"), saved("new")
    titles.pin_set(caller(owner), old, is_pinned=True)
    assert found(owner) == ["old", "new"]


def test_gallery_is_limited_and_links_to_older_visualizations(saved, owner, browser, monkeypatch):
    monkeypatch.setattr(selectors, "MOST_FOUND", 3)
    names = [saved(f"number {number}").title for number in range(5)]
    seen, address = [], "/visualizations/"
    while address:
        page = browser(owner).get(address).content.decode()
        seen += re.findall(r"Select (number \d)<", page)
        match = re.search(r'href="(\?[^"]*before[^"]*)" rel="next"', page)
        address = "/visualizations/" + match[1].replace("&amp;", "&") if match else ""
    assert seen == names[::-1]


def test_edited_visualization_replaces_the_original_once_rendered(submit, work, kernel, owner):
    first = submit()
    work()
    submit(arguments={"max_rows": 3}, edited=str(first.render.id), title="edited")
    assert len(found(owner)) == 2, "until the edited one has a result"
    work()
    assert found(owner) == ["edited"]
    assert len(found(owner, state="all")) == 2


def test_visualization_of_another_user_is_not_replaced(submit, work, reader, owner):
    first = submit()
    submit(user=reader, arguments={"max_rows": 3}, edited=str(first.render.id), title="theirs")
    work(), work()
    assert len(found(owner)) == 2


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_outcome_of_latest_render_is_stored_on_the_visualization(submit, work, kernel, row, owner, state):
    made = submit()
    assert found(owner, state="working") == [made.visualization.title]
    if state == "cancelled":
        cancellation.render_cancel(caller(owner), made.render)
    else:
        kernel.outcome = {} if state == "succeeded" else {"state": "failed", "reason": "code_failed", "html": None}
        work()
    assert (row(made.render).state, Visualization.objects.get().outcome) == (state, state)


def test_index_fill_completes_rows_of_older_versions(saved, owner):
    saved("Curve", run_name="Monday"), saved("Table", state="failed")
    Visualization.objects.update(text="", outcome="")
    assert found(owner, q="monday") == []
    assert indexing.index_fill(10) == 4
    assert indexing.index_fill(10) == 0
    assert found(owner, q="monday") == ["Curve"]
    assert set(Visualization.objects.values_list("outcome", flat=True)) == {"succeeded", "failed"}


def test_tags_can_be_searched_filtered_and_removed(saved, owner):
    one, _ = saved("one"), saved("other")
    titles.tags_change(caller(owner), one, add=["Best  Model", "q3"])
    assert one.tag_names == ["best-model", "q3"]
    assert found(owner, tag="q3") == found(owner, q="best-model") == ["one"]
    assert found(owner, tag="q") == [], "a tag is the whole word"
    titles.tags_change(caller(owner), one, remove=["q3", "best-model"])
    assert (one.tags, found(owner, tag="q3")) == ("", [])


def test_selection_is_tagged_deleted_and_restored(saved, owner, browser):
    chosen = [str(saved(name).id) for name in ("one", "two")]
    page = browser(owner)
    page.post("/visualizations/selection", {"visualization": chosen, "action": "tag", "value": "mine"})
    assert set(found(owner, tag="mine")) == {"one", "two"}
    answer = page.post("/visualizations/selection", {"visualization": chosen, "action": "delete"}, follow=True)
    assert "Deleted: 2 visualizations" in answer.content.decode()
    assert found(owner, state="all") == []
    page.post("/visualizations/restore")
    assert set(found(owner)) == {"one", "two"}


def test_bulk_action_reports_refused_items_and_does_the_rest(saved, owner, reader, browser):
    chosen = [str(saved("mine").id), str(saved("theirs", by=reader).id), "no id"]
    answer = browser(owner).post(
        "/visualizations/selection", {"visualization": chosen, "action": "delete"}, follow=True
    )
    assert "theirs: Only its owner or an administrator may do this." in answer.content.decode()
    assert found(owner) == ["theirs"]


def test_favourites_belong_to_each_person(saved, owner, reader, browser):
    one = saved("one")
    browser(reader).post("/visualizations/selection", {"visualization": [str(one.id)], "action": "favourite"})
    assert (found(reader, favourites="1"), found(owner, favourites="1")) == (["one"], [])
    browser(reader).post("/visualizations/selection", {"visualization": [str(one.id)], "action": "unfavourite"})
    assert found(reader, favourites="1") == []


def test_export_has_pages_and_figures_and_lists_omissions(saved, owner, browser):
    good, bad = saved("=good/../one", figures={"auc": 0.1 + 0.2}), saved("bad", state="failed")
    content = b"<p>all of it</p>"
    name = default_storage.save("export.html", ContentFile(content))
    digest = hashlib.sha256(content).hexdigest()
    Render.objects.filter(id=good.latest_id).update(html=name, html_bytes=len(content), html_sha256=digest)
    answer = browser(owner).post(
        "/visualizations/selection", {"visualization": [str(good.id), str(bad.id)], "action": "export"}
    )
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.namelist() == ["001-good-..-one.html", "figures.csv", "left-out.txt"]
    assert archive.read("001-good-..-one.html") == content
    (line,) = csv.DictReader(io.StringIO(archive.read("figures.csv").decode()))
    assert (line["title"], line["figure"], float(line["value"])) == ("'=good/../one", "auc", 0.1 + 0.2)
    assert archive.read("left-out.txt").decode() == "bad: it has no result\n"


def test_deleted_visualization_is_purged_after_a_day(submit, work, owner, settings, browser):
    made = submit()
    work()
    cancellation.visualization_delete(caller(owner), made.visualization)
    deleted_at = Visualization.objects.get().deleted_at
    assert pruning.visualizations_purge(deleted_at) == 0
    assert pruning.visualizations_purge(deleted_at + pruning.UNDO) == 1
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []
    answer = browser(owner).post("/visualizations/restore", {"visualization": str(made.visualization.id)}, follow=True)
    assert "gone for good" in answer.content.decode()


def test_request_with_new_title_renames_the_saved_result(submit, work, reader):
    made = submit()
    work()
    again = submit(title="A better one")
    assert (again.is_new, again.visualization.id) == (False, made.visualization.id)
    assert Visualization.objects.get().title == "A better one"
    assert submit().visualization.title == "A better one", "an automatic title replaces none"
    submit(user=reader, title="Not theirs to change")
    assert Visualization.objects.get().title == "A better one"


def test_automatic_titles_are_distinct(submit, settings):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    names = [
        submit(type_key="roc_curve", arguments={"true_score_column": "score"}).visualization.title,
        submit(type_key="roc_curve", arguments={"true_score_column": "other"}).visualization.title,
        submit(type_key="custom", code='"""Fares by hour."""\nprint(1)').visualization.title,
        submit(type_key="custom", code="# Tips by day\nprint(2)").visualization.title,
        submit(type_key="custom", code="def broken(:").visualization.title,
    ]
    assert len(set(names)) == len(names)
    assert "score, predictions, taxi run" in names[0]
    assert names[2].startswith("Fares by hour of predictions")
    assert names[3].startswith("Tips by day of predictions")


def test_gallery_page_uses_few_queries(several, owner, browser, django_assert_max_num_queries):
    page = browser(owner)
    page.get("/visualizations/")
    with django_assert_max_num_queries(12):
        page.get("/visualizations/")
