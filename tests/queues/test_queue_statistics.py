"""Statistics for administrators: counts, percentiles, failures, storage, with few queries."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.queues import statistics
from apps.visualizations.exceptions import NotAllowedError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.states import RenderState
from tests.callers import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended(owner):
    """Saves an ended render that took that many seconds."""
    numbers = iter(range(1, 1000))
    kinds = {}

    def save(type_key="table", *, took_s=1.0, days_ago=0, state=RenderState.SUCCEEDED, who=owner, **values):
        key = (type_key, who)
        if key not in kinds:
            kinds[key] = Visualization.objects.create(title=type_key, type_key=type_key, owner=who)
        end = timezone.now() - timedelta(days=days_ago, seconds=1)
        times = {"started_at": end - timedelta(seconds=took_s), "finished_at": end}
        made = {"number": next(numbers), "state": state, "environment": "base", "timeout_s": 9, "code": ""}
        return Render.objects.create(visualization=kinds[key], **made | times | values)

    return save


def test_statistics_of_each_type(ended, admin):
    for took_s in range(1, 21):
        ended(took_s=took_s, peak_memory_bytes=took_s * 1000)
    ended("roc_curve", state=RenderState.FAILED, reason="cell_error")
    ended("roc_curve", state=RenderState.FAILED, reason="cell_error")
    ended("roc_curve", state=RenderState.TIMED_OUT, reason="timed_out")
    ended("roc_curve", state=RenderState.CANCELLED, reason="cancelled")
    ended("old", days_ago=8)
    found = statistics.statistics_read(caller(admin), 7)
    table, roc = found.types
    assert (table.count, table.failed, table.reason, table.peak_bytes) == (20, 0, "", 20_000)
    assert (round(table.median_s), round(table.p95_s)) == (10, 19)
    assert (roc.count, roc.failed, roc.failed_percent, roc.reason) == (4, 3, 75.0, "cell_error")
    assert (found.count, found.sampled) == (24, 24)


def test_storage_is_summed_by_type_and_person(ended, admin, reader):
    ended(html_bytes=10, notebook_bytes=5)
    ended(html_bytes=100)
    ended("roc_curve", who=reader, html_bytes=7)
    ended("roc_curve", who=None)
    found = statistics.statistics_read(caller(admin), 1)
    assert [(each.name, each.renders, each.size_bytes) for each in found.storage_types] == [
        ("table", 2, 115),
        ("roc_curve", 2, 7),
    ]
    assert [(each.name, each.size_bytes) for each in found.storage_people] == [("owner", 115), ("reader", 7), ("", 0)]


def test_percentiles_use_a_sample_and_four_queries(ended, admin, monkeypatch, django_assert_num_queries, browser):
    monkeypatch.setattr(statistics, "MOST_SAMPLED", 2)
    for _ in range(3):
        ended()
    asked = caller(admin)
    asked.may("administer")
    with django_assert_num_queries(4):
        found = statistics.statistics_read(asked, 1)
    assert (found.count, found.sampled) == (3, 2)


def test_statistics_page_is_for_administrators(ended, admin, owner, browser):
    with pytest.raises(NotAllowedError):
        statistics.statistics_read(caller(owner), 7)
    assert browser(owner).get("/queue/statistics/").status_code == 403
    assert "No render ended in this period." in browser(admin).get("/queue/statistics/").content.decode()
    ended(state=RenderState.FAILED, reason="cell_error", html_bytes=2048)
    text = browser(admin).get("/queue/statistics/?days=30").content.decode()
    assert 'href="/visualizations/?type=table"' in text
    assert "1 (100 %)" in text
    assert 'href="/admin/visualizations/render/?reason=cell_error"' in text
    assert browser(admin).get("/admin/visualizations/render/?reason=cell_error").status_code == 200
    assert browser(admin).get("/queue/statistics/?days=nonsense").status_code == 200
