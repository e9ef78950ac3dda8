"""Charts of statistics show the page's data in every form, and so do the saved files."""

import csv
import json
import math
import random
from pathlib import Path

import pytest
from vizkit import TOOLKIT_DIR

from packages.vizkit.tests.independent import compute
from packages.vizkit.tests.statistics_code import payload

pytestmark = [pytest.mark.kernel, pytest.mark.browser]
CITIES = ("Berlin", "Bern", "Bonn", "Kiew", "Oslo", "Paris", "Prag", "Riga", "Rome", "Wien", "")


@pytest.fixture
def page(draw, tmp_path):
    """Draws statistics of two splits: a numeric, a constant and a text column, and empty cells."""
    chosen = random.Random(3)
    rows = [
        f"{chosen.lognormvariate(3, 1):.3f},5,{chosen.choice(CITIES)},{chosen.choice(('train', 'eval'))}\n"
        for _ in range(400)
    ]
    path = tmp_path / "sales.csv"
    path.write_text("price,constant,city,split\n" + "".join(rows))
    outcome, html = draw("tfdv", path, split_by="split")
    assert outcome.state == "succeeded", outcome.traceback
    return html


def saved(page, card, words):
    card.get_by_label("Save or change this chart").click()
    with page.expect_download() as download:
        card.get_by_role("button", name=words).click()
    return Path(download.value.path()).read_bytes()


def painted(page, card):
    card.scroll_into_view_if_needed()
    card.locator("figure[data-painted=yes]").wait_for()
    return card


def test_saved_data_match_the_buckets_and_values_of_the_page(page, opened):
    given, found = payload(page), opened(page)
    names = [each["name"] for each in given["datasets"]]
    for feature in given["features"]:
        card = painted(found.page, found.page.get_by_role("article", name=feature["name"], exact=True))
        head, *rows = csv.reader(saved(found.page, card, "Save data as CSV").decode().splitlines())
        if feature["kind"] == "number":
            assert head == ["From", "To", "Data set", "Values", "Share"]
            expected = [
                (low, high, name, count, count / sum(each[2] for each in own["standard"]))
                for name, own in zip(names, feature["sets"], strict=True)
                for low, high, count in own["standard"]
            ]
            assert [(float(a), float(b), name, float(c), float(d)) for a, b, name, c, d in rows] == [
                (low, high, name, pytest.approx(count), pytest.approx(share))
                for low, high, name, count, share in expected
            ]
        else:
            tops = [dict(own["top"]) for own in feature["sets"]]
            assert len(rows) == len(names) * min(8, len({value for top in tops for value in top}))
            for value, name, count, _ in rows:
                assert float(count) == tops[names.index(name)].get(value, 0)
    assert found.faults == []


def test_controls_change_buckets_scale_and_shares_in_place(page, opened):
    given, found = payload(page), opened(page)
    card = painted(found.page, found.page.get_by_role("article", name="price", exact=True))
    for label, value in (("Buckets of", "quantiles"), ("Show", "percent"), ("Scale", "log")):
        found.page.get_by_role("combobox", name=label).select_option(value)
    card.get_by_text("Tenths of the values").wait_for()
    _, *rows = csv.reader(saved(found.page, card, "Save data as CSV").decode().splitlines())
    price = next(each for each in given["features"] if each["name"] == "price")
    assert len(rows) == sum(len(own["quantiles"]) for own in price["sets"])
    found.page.get_by_role("combobox", name="Buckets of").select_option("standard")
    card.get_by_text("Histogram").wait_for()
    spec = json.loads(saved(found.page, card, "Save specification"))
    assert spec["encoding"]["y"]["field"] == "share"
    assert spec["encoding"]["y"]["scale"]["type"] == "symlog"
    for form, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        assert saved(found.page, card, f"Save as {form}").startswith(start)
    assert found.faults == []


@pytest.mark.parametrize("width", [390, 1000])
def test_values_are_readable_by_keyboard(page, opened, width):
    given, found = payload(page), opened(page, width=width)
    card = painted(found.page, found.page.get_by_role("article", name="price", exact=True))
    card.locator(".vk-plot").focus()
    found.page.keyboard.press("Home")
    low, high, _ = given["features"][0]["sets"][0]["standard"][0]
    # The box names the bucket of each data set at this position.
    said = card.get_by_role("status").inner_text()
    assert said.startswith(f"From {low:g}"), said
    assert all(each["name"] in said for each in given["datasets"])
    assert found.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert high > low


@pytest.mark.parametrize(("feature", "place"), [("price", "top"), ("city", "right")])
def test_keyboard_marker_is_at_the_end_of_the_bar(page, opened, feature, place):
    found = opened(page)
    card = painted(found.page, found.page.get_by_role("article", name=feature, exact=True))
    card.locator(".vk-plot").focus()
    found.page.keyboard.press("Home")
    dot = card.locator(".vk-dot").first.bounding_box()
    at = (dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
    ends = [
        (box["x"] + box["width"] / 2, box["y"])
        if place == "top"
        else (box["x"] + box["width"], box["y"] + box["height"] / 2)
        for box in (each.bounding_box() for each in card.locator("path[aria-roledescription=bar]").all())
    ]
    assert min(math.dist(at, end) for end in ends) < 3, (at, ends)


def test_static_picture_shows_the_first_features(page, tmp_path):
    (tmp_path / "page.html").write_text(page)
    code = f"""
import runpy
made = runpy.run_path({str(TOOLKIT_DIR / "picture.py")!r})["picture"](open("page.html").read(), "svg").decode()
names = [each in made for each in ("price", "constant", "train", "eval")]
answer = [made[:4], names, made.count('aria-roledescription="bar"')]"""
    start, names, bars = compute("base", code, tmp_path)
    assert (start, names) == ("<svg", [True] * 4)
    given = payload(page)
    numeric = [own for each in given["features"] if each["kind"] == "number" for own in each["sets"]]
    assert bars == sum(len(own["standard"]) for own in numeric)
