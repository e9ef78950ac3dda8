"""Differences of key figures, and the comparison and series pages that show them."""

import math
import re
from datetime import UTC, datetime

import pytest

from apps.gallery.changes import changes, sparkline
from apps.visualizations.models import Recipe, RenderFigure, Visualization
from apps.visualizations.services import titles
from tests.callers import caller


def figure(value, better="higher", unit=""):
    return RenderFigure(name="x", value=value, better=better, unit=unit)


@pytest.mark.parametrize(
    ("own", "other", "effect", "text"),
    [
        (figure(0.93), figure(0.92), "better", "+0.01"),
        (figure(0.91), figure(0.92), "worse", "-0.01"),
        (figure(0.91, "lower"), figure(0.92, "lower"), "better", "-0.01"),
        (figure(5, "none"), figure(4, "none"), "changed", "+1"),
        (figure(5), figure(5), "same", "±0"),
        (figure(5), None, "changed", ""),
        (None, figure(5), "changed", ""),
        (figure(5, unit="s"), figure(5, unit="ms"), "changed", ""),
        (figure(1e308), figure(-1e308), "changed", ""),
    ],
)
def test_difference_between_two_figures(own, other, effect, text):
    as_map = lambda each: {"x": each} if each else {}  # noqa: E731
    (change,) = changes(as_map(own), as_map(other), ["x"])
    assert (change.effect, change.text) == (effect, text)


def test_sparkline_has_a_gap_for_missing_values():
    line = sparkline("auc", "", [1.0, 2.0, None, 3.0, 4.0])
    assert [len(points.split()) for points in line.lines] == [2, 2]
    heights = [y for _, y, _ in line.dots]
    assert heights == sorted(heights, reverse=True), "higher values stand higher"
    assert [index for *_, index in line.dots] == [0, 1, 3, 4]
    assert (line.lowest, line.highest, line.latest) == (1.0, 4.0, 4.0)


@pytest.mark.parametrize("values", [[1e308, -1e308], [5e-324, 0.0], [7.0, 7.0], [1.0]])
def test_sparkline_of_extreme_values_stays_in_its_box(values):
    line = sparkline("x", "", values)
    assert all(math.isfinite(y) and 0 <= y <= 32 and 0 <= x <= 160 for x, y, _ in line.dots)


def test_sparkline_without_values_is_none():
    assert sparkline("x", "", [None, None]) is None


@pytest.mark.django_db
def test_comparison_page_compares_renders_with_the_first(saved, owner, browser):
    one, two = saved("one", figures={"auc": 0.9}), saved("two", figures={"auc": 0.8})
    page = browser(owner).get(f"/visualizations/compare/?v={one.id}&v={two.id}&v=nonsense").content.decode()
    assert re.search(r'change-worse">\s*-0.1 worse', page)
    assert "1 of those asked for is not shown" in page


@pytest.mark.django_db
def test_series_page_shows_runs_with_gaps_and_changes(saved, owner, browser):
    recipe = Recipe.objects.create(digest="d", pipeline_name="taxi", step_id="s", type_key="roc_curve")
    values = [0.7, None, 0.9]
    made = []
    for day, value in enumerate(values, 1):
        made.append(
            saved(
                f"of day {day}",
                state="failed" if value is None else "succeeded",
                figures={} if value is None else {"auc": value},
                recipe=recipe,
                run_id=f"r{day}",
                run_name=f"run {day}",
                run_created_at=datetime(2026, 3, day, tzinfo=UTC),
            )
        )
    recipe.baseline = made[0]
    recipe.save()
    page = browser(owner).get(f"/series/{recipe.id}/?v={made[2].id}").content.decode()
    assert re.search(r'change-better">\s*\+0.2 better', page)
    assert len(re.findall(r'r="(?:1.1|2.6)"', page)) == 2
    assert page.count('<polyline points="3') == 0, "single values beside a gap are dots"
    assert re.findall(r"(run \d)</a>\s*</td>", page) == ["run 3", "run 2", "run 1"]


@pytest.mark.django_db
def test_page_shows_title_notes_and_tags_without_scripts(saved, owner, reader, browser):
    one = saved("one", figures={"auc": 0.5})
    page = browser(owner)
    page.post(
        f"/visualizations/{one.id}/note", {"title": " A  new title ", "notes": "**good** <script>alert(1)</script>"}
    )
    page.post(f"/visualizations/{one.id}/note", {"tag": "Best, q3"})
    shown = page.get(f"/visualizations/{one.id}/").content.decode()
    assert "<strong>good</strong>" in shown
    assert "<script>alert" not in shown
    found = Visualization.objects.get(id=one.id)
    assert (found.title, found.tag_names) == ("A new title", ["best", "q3"])
    assert browser(reader).post(f"/visualizations/{one.id}/note", {"title": "x"}).status_code == 404
    page.post(f"/visualizations/{one.id}/note", {"title": " "})
    titles.pin_set(caller(owner), found, is_pinned=True)
    assert Visualization.objects.get(id=one.id).title == "A new title"


def test_floating_point_noise_is_no_change():
    (noise,) = changes({"x": figure(0.1 + 0.2)}, {"x": figure(0.3)}, ["x"])
    assert (noise.text, noise.effect) == ("±0", "same")
