"""What `manage.py prune` deletes by number and age, and what it always keeps."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.reports.models import BlockKind, Report, ReportBlock, ReportVersion
from apps.sharing.models import Share
from apps.visualizations.models import Recipe, Render, Visualization
from apps.visualizations.services.compared import results_uri
from apps.visualizations.states import RenderState

pytestmark = pytest.mark.django_db


@pytest.fixture
def renders(owner):
    """Saves a visualization with that many renders, ended long ago; returns them in order of number."""

    def save(count=4, **values):
        visualization = Visualization.objects.create(title="Scores", type_key="table", owner=owner)
        old = timezone.now() - timedelta(days=100)
        facts = {"state": RenderState.SUCCEEDED, "environment": "base", "timeout_s": 1, "code": "", "html": "x.html"}
        facts |= {"finished_at": old, "html_bytes": 1024, "notebook_bytes": 1024}
        made = [
            Render.objects.create(visualization=visualization, number=number, **facts | values)
            for number in range(1, count + 1)
        ]
        Visualization.objects.filter(id=visualization.id).update(latest=made[-1])
        return made

    return save


def prune(*options):
    out = StringIO()
    call_command("prune", *options, stdout=out)
    return out.getvalue()


def left():
    return list(Render.objects.order_by("visualization", "number").values_list("number", flat=True))


def test_prune_keeps_everything_by_default(renders):
    renders()
    assert "0 renders" in prune()
    assert left() == [1, 2, 3, 4]


def test_dry_run_lists_renders_with_their_size(renders):
    first, second, *_ = renders()
    said = prune("--keep-last", "2", "--dry-run")
    assert [line.split()[:2] for line in said.splitlines()[:2]] == [
        ["render", str(each.id)] for each in (first, second)
    ]
    assert "2.0\xa0KB  Scores, no. 1" in said
    assert "2 renders (4.0\xa0KB)" in said
    assert left() == [1, 2, 3, 4]


def test_keep_last_applies_to_each_visualization(renders):
    renders(4)
    renders(2)
    prune("--keep-last", "2")
    assert sorted(left()) == [1, 2, 3, 4]
    prune("--keep-last", "1")
    assert sorted(left()) == [2, 4]


def test_number_and_age_must_both_match(renders):
    made = renders(4)
    Render.objects.filter(id=made[1].id).update(finished_at=timezone.now())
    prune("--keep-last", "2", "--older-than", "30")
    assert left() == [2, 3, 4]


def test_settings_are_the_defaults_of_the_options(renders, settings):
    renders(4)
    settings.VIZPORTAL_KEEP_LAST, settings.VIZPORTAL_KEEP_DAYS = 3, 365
    assert "0 renders" in prune()
    settings.VIZPORTAL_KEEP_DAYS = 30
    assert "1 renders" in prune()
    prune("--older-than", "30")
    assert left() == [4]


@pytest.mark.parametrize("options", [["--keep-last", "0"], ["--older-than", "-1"]])
def test_invalid_limits_are_refused(options):
    with pytest.raises(CommandError, match="1 or more"):
        prune(*options)


def keep_pinned(render, _owner):
    Visualization.objects.filter(id=render.visualization_id).update(is_pinned=True)


def keep_baseline(render, _owner):
    Recipe.objects.create(digest="d", type_key="table", baseline=render.visualization)


def keep_shared(render, owner):
    ends = timezone.now() + timedelta(days=1)
    Share.objects.create(created_by=owner, render=render, digest="d", expires_at=ends)


def keep_in_report(render, owner):
    report = Report.objects.create(title="Report", owner=owner)
    version = ReportVersion.objects.create(report=report, number=1, title="Report", author=owner)
    ReportBlock.objects.create(version=version, position=0, kind=BlockKind.RENDER, target_id=render.id)


def keep_compared(render, owner):
    both = Visualization.objects.create(title="Both", type_key="comparison", owner=owner)
    source = results_uri([render.id])
    facts = {"state": RenderState.SUCCEEDED, "environment": "base", "timeout_s": 1, "code": "", "source_uri": source}
    latest = Render.objects.create(visualization=both, number=1, finished_at=timezone.now(), **facts)
    Visualization.objects.filter(id=both.id).update(latest=latest)


@pytest.mark.parametrize("keep", [keep_pinned, keep_baseline, keep_shared, keep_in_report, keep_compared])
@pytest.mark.parametrize("options", [["--keep-last", "1"], ["--older-than", "0"]])
def test_render_in_use_is_kept(renders, owner, keep, options):
    made = renders(3)
    keep(made[0], owner)
    prune(*options)
    assert Render.objects.filter(id=made[0].id).exists()
    assert Render.objects.filter(id=made[2].id).exists()


def test_render_of_deleted_comparison_is_pruned(renders, owner):
    made = renders(3)
    keep_compared(made[0], owner)
    Visualization.objects.filter(title="Both").update(deleted_at=timezone.now())
    prune("--keep-last", "1")
    assert not Render.objects.filter(id=made[0].id).exists()


def test_latest_successful_render_is_kept_before_later_failures(renders):
    made = renders(4)
    Render.objects.filter(id__in=[each.id for each in made[2:]]).update(state=RenderState.FAILED, html="")
    prune("--keep-last", "1")
    assert left() == [2, 4]
