"""Reports: what they show, their versions, what is kept for them, and the number of queries."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.accounts.models import AuditEntry
from apps.reports import blocks, drafting, selectors, services
from apps.reports.blocks import Draft
from apps.reports.models import BlockKind, Report, ReportBlock, ReportVersion
from apps.visualizations.exceptions import InvalidRequestError, NotAllowedError, NotFoundError
from apps.visualizations.models import Recipe, Render, Visualization
from apps.visualizations.services import cancellation, pruning, reconciliation
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)


def shown(user, report):
    version = selectors.version_get(caller(user), report)
    return selectors.blocks_shown(caller(user), version.blocks.all())


def test_pinned_result_stays_and_latest_follows(saved, again, write, owner):
    curve = saved()
    first = curve.latest
    report = write("Text", curve)
    latest = write(curve, kind=BlockKind.VISUALIZATION)
    second = again(curve)
    assert [each.render for each in shown(owner, report)] == [None, first]
    assert [each.render for each in shown(owner, latest)] == [second]


def test_newest_successful_result_is_pinned(saved, again, write, owner):
    curve = saved()
    first = curve.latest
    again(curve, "", state="failed")
    assert [each.render for each in shown(owner, write(curve))] == [first]
    # The same applies to blocks that show the latest result.
    assert [each.render for each in shown(owner, write(curve, kind=BlockKind.VISUALIZATION))] == [first]


def test_series_block_shows_newest_run_with_a_result(saved, write, owner):
    recipe = Recipe.objects.create(digest="d", type_key="table")
    at = datetime(2026, 9, 1, tzinfo=UTC)
    old = saved("old", recipe=recipe, run_created_at=at)
    newer = saved("newer", recipe=recipe, run_created_at=at + timedelta(days=1))
    saved("failed", recipe=recipe, run_created_at=at + timedelta(days=2), state="failed", html="")
    report = write(old, kind=BlockKind.SERIES)
    assert [each.render for each in shown(owner, report)] == [newer.latest]


def test_missing_result_is_named(saved, write, owner):
    curve, waiting = saved("Curve of taxis"), saved("Waits", html="", state="queued")
    report = write(curve, waiting)
    assert "has no result to show: queued" in shown(owner, report)[1].missing
    cancellation.visualization_delete(caller(owner), curve)
    assert shown(owner, report)[0].missing == (
        "The result “Curve of taxis” was here. It was deleted, or you may not see it."
    )
    pruning.visualizations_purge(timezone.now() + timedelta(days=1))
    # Later versions keep the title too.
    services.report_append(caller(owner), report, [Draft(kind=BlockKind.TEXT, text="x")])
    assert "Curve of taxis" in shown(owner, report)[0].missing


def test_each_save_is_a_version_and_older_ones_can_be_restored(saved, write, owner, reader):
    report = write("one")
    services.report_save(caller(owner), report, 1, "Second", [Draft(kind=BlockKind.TEXT, text="two")])
    restored = services.report_restore(caller(owner), report, 1)
    assert (restored.number, restored.title) == (3, "Weekly")
    texts = [
        [block.text for block in version.blocks.all()] for version in selectors.versions_of(caller(reader), report)
    ]
    assert texts == [["one"], ["two"], ["one"]]
    assert list(AuditEntry.objects.order_by("id").values_list("action", "detail")) == [
        ("report.create", ""),
        ("report.save", "version 2"),
        ("report.save", "version 3"),
    ]


def test_concurrent_save_raises_report_changed(write, owner, admin):
    report = write("one")
    services.report_save(caller(admin), report, 1, "Theirs", [Draft(kind=BlockKind.TEXT, text="theirs")])
    mine = Report.objects.get(id=report.id)
    with pytest.raises(services.ReportChangedError, match="admin saved version 2") as caught:
        services.report_save(caller(owner), mine, 1, "Mine", [Draft(kind=BlockKind.TEXT, text="mine")])
    assert caught.value.number == 2
    assert ReportVersion.objects.filter(report=report).count() == 2
    assert ReportBlock.objects.filter(text="mine").count() == 0


def test_invalid_reports_are_refused(write, owner, monkeypatch):
    for title in ("", " \0 ", "x" * 201):
        with pytest.raises(InvalidRequestError, match="title"):
            services.report_create(caller(owner), title, [])
    for wrong in (
        Draft(kind=BlockKind.TEXT, text="x" * 50_001),
        Draft(kind=BlockKind.RENDER, caption="x" * 501, target_id=uuid.uuid4()),
        Draft(kind=BlockKind.RENDER),
    ):
        with pytest.raises(InvalidRequestError):
            services.report_create(caller(owner), "x", [wrong])
    monkeypatch.setattr(blocks, "MOST_BLOCKS", 1)
    with pytest.raises(InvalidRequestError, match="at most 1"):
        write("a", "b")
    assert not Report.objects.exists()


def test_reader_can_read_but_not_change(write, reader):
    report = write("one")
    assert selectors.report_get(caller(reader), report.id) == report
    for change in (
        lambda: services.report_save(caller(reader), report, 1, "x", []),
        lambda: services.report_restore(caller(reader), report, 1),
        lambda: services.report_delete(caller(reader), report),
    ):
        with pytest.raises(NotAllowedError):
            change()


def test_deleted_report_can_be_restored_until_it_is_purged(write, owner, reader):
    report = write("one")
    services.report_delete(caller(owner), report)
    with pytest.raises(NotFoundError):
        selectors.report_get(caller(owner), report.id)
    with pytest.raises(NotAllowedError):
        services.report_undelete(caller(reader), report.id)
    services.report_undelete(caller(owner), report.id)
    services.report_delete(caller(owner), report)
    assert services.reports_purge() == 0
    assert services.reports_purge(timezone.now() + timedelta(seconds=1)) == 1
    for wrong in (report.id, "nonsense"):
        with pytest.raises(NotFoundError):
            services.report_undelete(caller(owner), wrong)


def test_reconciler_purges_deleted_reports(write, owner):
    report = write("one")
    Report.objects.filter(id=report.id).update(deleted_at=timezone.now() - timedelta(days=2))
    assert reconciliation.reconcile().parts["reports"] == 1


def test_prune_keeps_renders_pinned_in_any_version(saved, again, write, owner):
    curve = saved()
    pinned = curve.latest
    report = write(curve)
    services.report_save(caller(owner), report, 1, "Without it", [])
    other = again(curve)
    again(curve)
    Render.objects.update(finished_at=timezone.now() - timedelta(days=400))
    call_command("prune", "--older-than", "300")
    assert set(Render.objects.filter(number__lte=2)) == {pinned}
    assert not Render.objects.filter(id=other.id).exists()
    Report.objects.all().delete()
    call_command("prune", "--older-than", "300")
    assert not Render.objects.filter(id=pinned.id).exists()


def test_report_uses_a_fixed_number_of_queries(saved, write, browser, reader, django_assert_max_num_queries):
    recipe = Recipe.objects.create(digest="d", type_key="table")
    found = [saved(f"Curve {number}", figures={"auc": 0.5}, recipe=recipe) for number in range(20)]
    report = write("# Text", *found)
    latest = write(*found, kind=BlockKind.VISUALIZATION)
    client = browser(reader)
    client.get("/reports/")
    for each in (report, latest):
        with django_assert_max_num_queries(12):
            page = client.get(each.get_absolute_url()).content.decode()
        assert page.count("<iframe") == 20
    with django_assert_max_num_queries(8):
        client.get("/reports/")


def test_titles_of_another_namespace_are_not_stored(saved, owner):
    secret = saved("Secret", namespace="team-b")
    report = services.report_create(caller(owner), "x", drafting.drafts_from([secret]))
    assert [block.target_title for block in ReportBlock.objects.filter(version__report=report)] == [""]
    Visualization.objects.filter(id=secret.id).update(deleted_at=timezone.now())
    assert "Secret" not in shown(owner, report)[0].missing
