"""Times on pages are in the browser's time zone, with UTC on hover."""

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
    """Returns the element that a template tag renders for a user in a time zone."""
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
def test_time_is_shown_in_the_users_zone_with_its_name(zone, moment, text):
    time = drawn("at", moment, zone)
    assert time.text == text
    assert time["datetime"] == moment.isoformat()
    assert time["title"].endswith(f"{moment:%Y-%m-%d %H:%M:%S} UTC")


def test_seconds_can_be_shown():
    time = drawn("at", WINTER, "Europe/Berlin", " seconds=True")
    assert time.text == "2026-01-03 00:30:15 CET"
    assert time.has_attr("data-seconds")


def test_tooltip_has_local_time_and_utc_with_seconds():
    assert drawn("at", WINTER, "Europe/Berlin")["title"] == "2026-01-03 00:30:15 CET = 2026-01-02 23:30:15 UTC"
    assert drawn("at", WINTER)["title"] == "2026-01-02 23:30:15 UTC"


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "x" * 100, "Europe", "\n", "posix"]
)
def test_invalid_zone_falls_back_to_utc(zone):
    assert drawn("at", WINTER, zone).text == "2026-01-02 23:30 UTC"


def test_recent_time_is_relative_and_old_time_absolute():
    assert drawn("when", timezone.now() - timedelta(minutes=3)).text == "3 minutes ago"
    assert drawn("when", WINTER, "Europe/Berlin").text == "2026-01-03 00:30 CET"


def test_zone_does_not_leak_into_the_next_request():
    drawn("at", WINTER, "Europe/Berlin")
    assert zones.zone_key() == "UTC"


def test_page_has_the_zone_of_the_cookie(client, kubeflow):
    client.cookies[zones.COOKIE] = "Europe/Berlin"
    page = soup(client.get("/runs/r1/"))
    assert page.html["data-zone"] == "Europe/Berlin"
    assert page.select_one("#run-head .run-facts time").text.endswith((" CET", " CEST"))


@pytest.mark.parametrize("zone", ["Asia/Tokyo", ""])
def test_filter_days_are_in_utc(client, kubeflow, zone):
    client.cookies[zones.COOKIE] = zone
    kubeflow.queries.clear()
    client.get("/runs/?from=2026-01-02")
    assert any("2026-01-02T00:00:00Z" in str(query) for query in kubeflow.queries)
