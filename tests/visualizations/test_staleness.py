"""Changes since a render: each kind is found, reported with a next action, and fixed by rendering again."""

import io
import os
from dataclasses import replace

import pytest
from django.core.management import call_command
from renderer import EnvironmentUnusableError

from apps.runs.exceptions import EndpointDownError, ForbiddenError, NotFoundError
from apps.visualizations.environments import environments
from apps.visualizations.models import Render, Visualization
from apps.visualizations.selectors import type_get
from apps.visualizations.services import cancellation, staleness
from apps.visualizations.services.again import render_again
from apps.visualizations.services.comparisons import comparison_create
from apps.visualizations.services.staleness import is_outdated, visualization_findings
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "minio://b/predictions.csv"


@pytest.fixture(autouse=True)
def own_lock(kernel):
    """Renders record the lock of the actual environment."""
    kernel.outcome = {"lock": environments().get("base").lock_digest}


@pytest.fixture
def done(submit, work):
    made = submit()
    work()
    return Visualization.objects.get(pk=made.visualization.pk)


@pytest.fixture
def find(owner, kubeflow):
    """Returns what has changed as {code: remedy}."""

    def ask(visualization):
        found = visualization_findings(caller(owner), Visualization.objects.get(pk=visualization.pk))
        return {each.code: each.remedy for each in found}

    return ask


def test_new_result_has_no_changes(done, find):
    assert find(done) == {}


def test_changed_bytes_at_same_address_are_found(done, find, kubeflow, browser, owner, work):
    kubeflow.contents[ADDRESS] += b"0.7,1\n"
    assert find(done) == {"source_changed": "render"}
    page = browser(owner).get(f"/visualizations/{done.pk}/origin").content.decode()
    assert "The data changed after this was rendered." in page
    assert f'action="/visualizations/{done.pk}/again"' in page
    browser(owner).post(f"/visualizations/{done.pk}/again")
    work()
    assert find(done) == {}


def test_missing_source_offers_download_of_saved_result(done, find, kubeflow, browser, owner):
    kubeflow.contents.clear()
    assert find(done) == {"source_missing": "download"}
    page = browser(owner).get(f"/visualizations/{done.pk}/origin").content.decode()
    assert f"There is no object at {ADDRESS}." in page
    assert f"/renders/{done.latest_id}/download.html" in page


def test_deleted_run_is_found(done, find, kubeflow):
    def gone(run_id):
        raise NotFoundError(run_id)

    kubeflow.run_details = gone
    assert find(done)["run_gone"] == "download"


def test_moved_artifact_is_found(done, find, kubeflow):
    step = kubeflow.details.steps[0]
    moved = replace(step.artifacts[0], uri="minio://b/second.csv")
    kubeflow.details = replace(kubeflow.details, steps=(replace(step, artifacts=(moved,)),))
    assert find(done) == {"artifact_moved": "render_artifact"}


def test_changed_metrics_are_found(submit, work, find, kubeflow):
    step = kubeflow.details.steps[0]
    metrics = replace(step.artifacts[0], name="metrics", type="system.Metrics", metadata={"auc": 0.5})

    def write(**metadata):
        kubeflow.details = replace(
            kubeflow.details, steps=(replace(step, artifacts=(replace(metrics, metadata=metadata),)),)
        )

    write(auc=0.5)
    made = submit(artifact_name="metrics")
    work()
    assert find(made.visualization) == {}
    write(auc=0.6)
    assert find(made.visualization) == {"source_changed": "render_artifact"}


def test_changed_or_missing_local_file_is_found(submit, work, find, settings, tmp_path, kubeflow):
    path = tmp_path / "shelf" / "rows.csv"
    path.parent.mkdir()
    path.write_text("a,b\n1,2\n")
    settings.VIZPORTAL_SOURCE_ALLOW = [str(path.parent)]
    made = submit(source=str(path), artifact_name="")
    work()
    assert find(made.visualization) == {}
    path.write_text("a,b\n1,3\n")
    os.utime(path, (1, 1))
    assert find(made.visualization) == {"source_changed": "render"}
    path.unlink()
    assert find(made.visualization) == {"source_missing": "download"}
    settings.VIZPORTAL_SOURCE_ALLOW = []
    assert find(made.visualization) == {}, "whoever may not read it learns nothing of it"


def test_changed_type_and_environment_are_found(done, find):
    Render.objects.filter(pk=done.latest_id).update(type_version="0" * 16)
    assert find(done) == {"type_changed": "render"}
    own = type_get(done.type_key).version
    Render.objects.filter(pk=done.latest_id).update(type_version=own, environment_lock="another")
    assert find(done) == {"environment_changed": "render"}
    Visualization.objects.filter(pk=done.pk).update(type_key="no_such_type")
    assert find(done) == {"type_gone": "download"}


def test_page_of_earlier_render_reports_that_renders_changes(done, browser, owner, work):
    Render.objects.filter(pk=done.latest_id).update(type_version="0" * 16)
    render_again(caller(owner), Visualization.objects.get(pk=done.pk))
    work()
    words = "The type Table changed after this was rendered."
    assert words in browser(owner).get(f"{done.get_absolute_url()}renders/1/").content.decode()
    assert words not in browser(owner).get(done.get_absolute_url()).content.decode()


def test_unusable_environment_is_unknown_and_not_a_change(done, find, monkeypatch):
    def unusable():
        raise EnvironmentUnusableError("Its folder is gone.")

    monkeypatch.setattr(staleness, "environments", unusable)
    assert find(done) == {"unknown": ""}


@pytest.mark.parametrize("error", [EndpointDownError("no answer"), ForbiddenError("not yours")])
def test_kubeflow_errors_are_not_changes(done, find, kubeflow, error):
    kubeflow.error = error
    found = find(done)
    assert found == ({"unknown": "retry"} if isinstance(error, EndpointDownError) else {})


def test_comparison_reports_deleted_result(submit, work, find, owner, done):
    other = submit(type_key="roc_curve")
    work()
    both = comparison_create(caller(owner), [done.latest_id, other.render.pk])
    work()
    assert find(both.visualization) == {}
    cancellation.visualization_delete(caller(owner), other.visualization)
    assert find(both.visualization) == {"source_missing": "download"}


def test_rerender_stale_renders_changed_and_moved_sources(submit, work, kubeflow, owner):
    same, changed, moved = submit(), submit(type_key="roc_curve"), submit(artifact_name="model")
    kubeflow.contents["minio://b/model"] = b"x"
    work()
    out, errors = io.StringIO(), io.StringIO()
    call_command("rerender", "--stale", "--dry-run", stdout=out, stderr=errors)
    assert "0 would be rendered again" in out.getvalue()
    step = kubeflow.details.steps[0]
    elsewhere = replace(step.artifacts[1], uri="minio://b/second-model")
    kubeflow.details = replace(kubeflow.details, steps=(replace(step, artifacts=(step.artifacts[0], elsewhere)),))
    kubeflow.contents["minio://b/second-model"] = b"y"
    Render.objects.filter(pk=changed.render.pk).update(source_version="of other bytes")
    call_command("rerender", "--stale", stdout=out, stderr=errors)
    assert "2 queued, 0 passed over." in out.getvalue()
    work()
    assert Render.objects.filter(visualization=same.visualization).count() == 1
    latest = Render.objects.get(visualization=moved.visualization, number=2)
    assert latest.source_uri == "minio://b/second-model"
    call_command("rerender", "--stale", "--dry-run", stdout=out, stderr=errors)
    assert out.getvalue().count("0 would be rendered again") == 2


def test_rerender_stale_reports_what_it_could_not_check(done, kubeflow):
    kubeflow.error = EndpointDownError("Kubeflow does not answer.")
    out, errors = io.StringIO(), io.StringIO()
    call_command("rerender", "--stale", "--dry-run", stdout=out, stderr=errors)
    assert "1 could not be checked: Kubeflow does not answer." in errors.getvalue()


def test_queued_render_is_not_stale(submit, find):
    assert find(submit().visualization) == {}
    assert not is_outdated([])
