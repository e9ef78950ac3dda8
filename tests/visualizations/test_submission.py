"""Submitting, repeating, cancelling and deleting visualizations, and finding them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from rq.job import Job

from apps.runs.entities import Artifact
from apps.runs.exceptions import NotFoundError
from apps.visualizations import selectors
from apps.visualizations.exceptions import (
    CustomOffError,
    InvalidRequestError,
    NotAllowedError,
    TooManyQueuedError,
    WrongStateError,
)
from apps.visualizations.models import Visualization
from apps.visualizations.services import cancellation, queueing
from apps.visualizations.services.again import render_again
from apps.visualizations.states import RenderState
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)


def test_request_creates_queued_row_and_job_with_id_and_attempt(submit, queue, owner):
    made = submit(title="  My   table ")
    assert made.is_new
    assert made.visualization.title == "My table"
    assert made.visualization.latest == made.render
    assert (made.visualization.run_name, made.visualization.step_name) == ("taxi run", "evaluator")
    assert made.render.state == RenderState.QUEUED
    assert made.render.source_uri == "minio://b/predictions.csv"
    [job] = queue.jobs
    assert job.id == f"render-{made.render.id}-1"
    assert (list(job.args), job.kwargs) == ([str(made.render.id), 1], {})


def test_same_cache_key_reuses_the_saved_result(submit, work, reader):
    first = submit()
    work()
    again = submit(reader)
    assert not again.is_new
    assert again.render.id == first.render.id


@pytest.mark.parametrize("change", [{"arguments": {"max_rows": 7}}, {"artifact_name": "model"}])
def test_different_cache_key_renders_again(submit, work, change):
    submit()
    work()
    kind = selectors.type_get("table")
    if "arguments" in change:
        name = next(name for name, rule in kind.schema["properties"].items() if rule["type"] == "integer")
        change = {"arguments": {name: 7}}
    assert submit(**change).is_new


def test_force_adds_render_for_owner_and_visualization_for_reader(submit, work, owner, reader):
    first = submit()
    work()
    mine = submit(force=True)
    assert mine.visualization == first.visualization
    assert mine.render.number == 2
    work()
    assert submit(reader, force=True).visualization != first.visualization


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type_key": "../../x"}, "type"),
        ({"type_key": "nothing"}, "type"),
        ({"artifact_name": "nothing"}, "artifact"),
        ({"arguments": {"nothing": 1}}, "arguments.nothing"),
        ({"options": {"timeout_s": 1e9}}, "timeout_s"),
        ({"options": {"timeout_s": float("nan")}}, "timeout_s"),
        ({"options": {"timeout_s": 0}}, "timeout_s"),
        ({"code": "print(1)"}, "code"),
        ({"title": "x" * 201}, "title"),
        ({"source": "/etc/passwd"}, "source"),
        ({"source": "minio://b/predictions.csv/../model"}, "source"),
    ],
)
def test_invalid_value_is_refused_with_its_field(submit, change, field):
    with pytest.raises(InvalidRequestError) as caught:
        submit(**change)
    assert list(caught.value.fields) == [field]
    assert Visualization.objects.count() == 0


def test_unknown_run_or_step_is_not_found(submit):
    for change in ({"run_id": "nothing"}, {"step_id": "nothing"}):
        with pytest.raises(NotFoundError):
            submit(**change)


def test_request_without_artifact_picks_the_best_fit(submit):
    assert submit(artifact_name="").render.source_uri == "minio://b/predictions.csv"


def test_artifact_uri_as_source_selects_the_artifact(submit):
    made = submit(artifact_name="", source="minio://b/predictions.csv")
    assert made.visualization.artifact_name == "predictions"


@pytest.mark.parametrize("part", ["part-0.csv", "Split-train/*.csv", "day=Sun/part-0.csv"])
def test_part_of_an_artifacts_folder_is_allowed_as_source(submit, part):
    made = submit(artifact_name="", type_key="table", source=f"minio://b/model/{part}")
    assert made.render.source_uri == f"minio://b/model/{part}"
    assert (made.visualization.artifact_uri, made.visualization.artifact_name) == ("minio://b/model", "model")


@pytest.mark.parametrize("source", ["minio://b/models/x", "minio://b/model/../other", "minio://b/model%2f..%2fother"])
def test_source_beside_an_artifacts_folder_is_refused(submit, source):
    with pytest.raises(InvalidRequestError) as caught:
        submit(artifact_name="", source=source)
    assert list(caught.value.fields) == ["source"]


def test_render_again_reads_same_part_of_moved_artifact(submit, work, owner):
    made = submit(artifact_name="", source="minio://b/model/part-0.csv")
    work()
    moved = Artifact(id="9", name="model", type="system.Model", uri="minio://b/retried/model", direction="input")
    again = render_again(caller(owner), made.visualization, artifact=moved)
    assert again.source_uri == "minio://b/retried/model/part-0.csv"
    assert again.visualization.artifact_uri == "minio://b/retried/model"


def test_source_without_run_must_be_allowed_by_administrator(submit, settings):
    nothing = {"run_id": "", "step_id": "", "artifact_name": ""}
    with pytest.raises(InvalidRequestError) as caught:
        submit(**nothing, source="s3://open/rows.csv")
    assert caught.value.code == "source_refused"
    settings.VIZPORTAL_SOURCE_ALLOW = ["s3://open/"]
    made = submit(**nothing, source="s3://open/rows.csv")
    assert (made.visualization.run_id, made.render.source_uri) == ("", "s3://open/rows.csv")
    assert made.visualization.artifact_uri == ""


@pytest.mark.parametrize(
    ("code", "environment"),
    [
        ("import pandas\n", "base"),
        ("import tensorflow_data_validation as tfdv\n", "tfx"),
        ("def draw():\n    from tensorflow_model_analysis import view\n", "tfx"),
        ("from tensorflow_metadata.proto.v0 import schema_pb2\n", "base"),
        ('# /// script\n# [tool.vizportal]\n# environment = "base"\n# ///\nimport tensorflow\n', "base"),
    ],
)
def test_custom_code_runs_in_the_environment_of_its_imports(submit, settings, code, environment):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    settings.VIZPORTAL_REMOTE_ENVIRONMENTS = ["tfx"]
    assert submit(type_key="custom", code=code).render.environment == environment


def test_custom_code_requires_the_setting_and_code(submit, settings):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = False
    with pytest.raises(CustomOffError):
        submit(type_key="CUSTOM", code="print(1)")
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    with pytest.raises(InvalidRequestError, match="Write the Python code"):
        submit(type_key="custom", code="  \n")
    assert submit(type_key="CUSTOM", code="print(1)\r\n").render.code == "print(1)\n"


def test_queue_limit_applies_to_each_user(submit, settings, reader):
    settings.VIZPORTAL_MAX_QUEUED_PER_USER = 2
    submit(), submit()
    with pytest.raises(TooManyQueuedError):
        submit()
    assert submit(reader).is_new


def test_row_is_kept_without_the_queue_server(submit, no_queue, row):
    made = submit()
    assert row(made.render).state == RenderState.QUEUED


def test_rollback_leaves_no_job(submit, queue, monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError

    monkeypatch.setattr(queueing, "credential_keep", fail)
    with pytest.raises(RuntimeError):
        submit()
    assert queue.count == 0
    assert Visualization.objects.count() == 0


def test_render_again_uses_latest_values_and_keeps_old_render(submit, work, owner):
    first = submit(options={"timeout_s": 5})
    work()
    again = render_again(caller(owner), first.visualization)
    assert (again.number, again.timeout_s, again.receipt) == (2, 5, first.render.receipt)
    assert first.visualization.renders.count() == 2


def test_render_again_is_refused_while_rendering_and_for_others(submit, owner, reader):
    made = submit()
    with pytest.raises(WrongStateError):
        render_again(caller(owner), made.visualization)
    with pytest.raises(NotAllowedError):
        render_again(caller(reader), made.visualization)


def test_cancelling_a_queued_render_is_final_and_idempotent(submit, queue, owner, work, kernel, row, events):
    made = submit()
    for _ in range(2):
        assert cancellation.render_cancel(caller(owner), made.render).state == RenderState.CANCELLED
    assert not Job.exists(f"render-{made.render.id}-1", connection=queue.connection)
    assert [event["state"] for event in events()] == ["queued", "cancelled"]
    work()
    assert kernel.jobs == []


def test_cancelling_a_finished_render_changes_nothing(submit, work, owner, row):
    made = submit()
    work()
    assert cancellation.render_cancel(caller(owner), made.render).state == RenderState.SUCCEEDED


def test_only_owner_and_administrator_cancel_and_delete(submit, reader, admin, row):
    made = submit()
    with pytest.raises(NotAllowedError):
        cancellation.render_cancel(caller(reader), made.render)
    with pytest.raises(NotAllowedError):
        cancellation.visualization_delete(caller(reader), made.visualization)
    assert row(made.render).state == RenderState.QUEUED
    cancellation.visualization_delete(caller(admin), made.visualization)
    assert Visualization.objects.filter(deleted_at=None).count() == 0
    assert row(made.render).state == RenderState.CANCELLED


def test_deleting_a_user_keeps_their_visualizations(submit, work, owner, row):
    made = submit()
    work()
    owner.delete()
    assert row(made.render).visualization.owner is None


def test_gallery_filters_by_type_and_searches_text(submit, work, owner):
    made = submit(title="Scores of Monday")
    submit(type_key="roc_curve", arguments={})
    found = selectors.visualization_list(caller(owner), text="monday evaluator")
    assert [each.id for each in found] == [made.visualization.id]
    assert selectors.visualization_list(caller(owner), type_key="ROC_CURVE").count() == 1
    assert selectors.visualization_list(caller(owner), text="nothing").count() == 0
    assert selectors.visualization_counts(caller(owner), ["r1", "r2"]) == {"r1": 2}


def test_queue_places_and_expected_times(submit, work, owner, row):
    submit()
    work()
    first, second = submit(title="a", force=True), submit(title="b", force=True)
    places = [selectors.queue_place(row(made.render)) for made in (first, second)]
    assert [place.position for place in places] == [1, 2]
    assert all(place.eta_s is not None for place in places)
    running = row(first.render)
    running.state, running.started_at = RenderState.RUNNING, timezone.now() - timedelta(minutes=1)
    running.save()
    place = selectors.queue_place(row(second.render))
    assert (place.position, place.eta_s) == (1, None), "it takes longer than all before"


def test_kubeflow_names_are_truncated_and_stripped_of_nul(submit, kubeflow):
    """Kubeflow's names may be long and odd. PostgreSQL refuses NUL and text longer than the column; SQLite does not."""
    odd = replace(kubeflow.details.run, name="a\0b" + "x" * 600)
    kubeflow.details = replace(kubeflow.details, run=odd)
    assert submit().visualization.run_name == "ab" + "x" * 498
