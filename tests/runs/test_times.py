"""Times on pages: in the zone that the reader's browser names, with UTC on hover."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from apps.ui import zones
from tests.runs.test_pages import soup

WINTER = datetime(2026, 1, 2, 23, 30, 15, tzinfo=UTC)
SUMMER = datetime(2026, 7, 2, 12, tzinfo=UTC)


def drawn(tag, moment, zone="", more=""):
    """Returns what a template tag draws for a reader in a zone."""
    request = RequestFactory().get("/")
    if zone:
        request.COOKIES[zones.COOKIE] = zone
    template = Template(f"{{% load ui %}}{{% {tag} moment{more} %}}")
    html = zones.reader_zone_middleware(lambda _request: template.render(Context({"moment": moment})))(request)
    return BeautifulSoup(html, "html.parser").time


@pytest.mark.parametrize(
    ("zone", "moment", "text"),
    [
        ("Europe/Berlin", WINTER, "2026-01-03 00:30 CET"),
        ("Europe/Berlin", SUMMER, "2026-07-02 14:00 CEST"),
        ("America/New_York", WINTER, "2026-01-02 18:30 EST"),
        ("America/Sao_Paulo", WINTER, "2026-01-02 20:30 UTC-3"),
        ("Asia/Kathmandu", SUMMER, "2026-07-02 17:45 UTC+5:45"),
        ("", WINTER, "2026-01-02 23:30 UTC"),
        ("UTC", WINTER, "2026-01-02 23:30 UTC"),
    ],
)
def test_a_time_is_that_of_the_reader_s_clock_and_names_its_zone(zone, moment, text):
    time = drawn("at", moment, zone)
    assert time.text == text
    assert time["datetime"] == moment.isoformat()
    assert time["title"].endswith(f"{moment:%Y-%m-%d %H:%M:%S} UTC")


def test_a_step_s_times_are_drawn_to_the_second():
    time = drawn("at", WINTER, "Europe/Berlin", " seconds=True")
    assert time.text == "2026-01-03 00:30:15 CET"
    assert time.has_attr("data-seconds")


def test_on_hover_both_are_there_to_the_second():
    assert drawn("at", WINTER, "Europe/Berlin")["title"] == "2026-01-03 00:30:15 CET = 2026-01-02 23:30:15 UTC"
    assert drawn("at", WINTER)["title"] == "2026-01-02 23:30:15 UTC"


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "x" * 100, "Europe", "\n", "posix"]
)
def test_what_is_no_zone_is_utc(zone):
    assert drawn("at", WINTER, zone).text == "2026-01-02 23:30 UTC"


def test_a_new_one_is_an_age_and_an_old_one_a_time():
    assert drawn("when", timezone.now() - timedelta(minutes=3)).text == "3 minutes ago"
    assert drawn("when", WINTER, "Europe/Berlin").text == "2026-01-03 00:30 CET"


def test_nothing_of_one_reader_is_left_for_the_next():
    drawn("at", WINTER, "Europe/Berlin")
    assert zones.zone_key() == "UTC"


def test_a_page_says_which_zone_it_is_in(client, kubeflow):
    client.cookies[zones.COOKIE] = "Europe/Berlin"
    page = soup(client.get("/runs/r1/"))
    assert page.html["data-zone"] == "Europe/Berlin"
    assert page.select_one("#run-head .run-facts time").text.endswith((" CET", " CEST"))


@pytest.mark.parametrize("zone", ["Asia/Tokyo", ""])
def test_days_of_filters_stay_in_utc_for_everybody(client, kubeflow, zone):
    client.cookies[zones.COOKIE] = zone
    kubeflow.queries.clear()
    client.get("/runs/?from=2026-01-02")
    assert any("2026-01-02T00:00:00Z" in str(query) for query in kubeflow.queries)
