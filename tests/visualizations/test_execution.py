"""How a worker executes one render: it is kept, or fails, is cancelled or times out."""

import hashlib

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from apps.runs.exceptions import EndpointDownError
from apps.visualizations.models import Render
from apps.visualizations.services import cancellation, execution, hosts
from apps.visualizations.services.again import render_again
from apps.visualizations.states import RenderState
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)


def test_successful_render_is_kept_with_its_provenance(submit, work, kernel, row, events):
    made = submit(title="Scores")
    work()
    render = row(made.render)
    assert (render.state, render.reason, render.attempt) == (RenderState.SUCCEEDED, "", 1)
    assert default_storage.open(render.html.name).read() == b"<p>picture</p>"
    assert render.html_sha256 == hashlib.sha256(b"<p>picture</p>").hexdigest()
    assert render.html_bytes == len(b"<p>picture</p>")
    assert render.notebook
    assert render.environment_lock == "l0ck"
    assert render.source_digest
    assert render.timings["total"] == 0.1
    assert render.timings["fetch"] >= 0
    assert render.started_at < render.finished_at
    assert render.lease_until is None
    [job] = kernel.jobs
    assert job.source.endswith("/input/predictions.csv")
    assert (job.spec.source_uri, job.title) == ("minio://b/predictions.csv", "Scores")
    assert job.spec.arguments == render.arguments
    told = [(event["state"], event["cell"], event["cells"]) for event in events()]
    assert told == [("queued", 0, 0), ("running", 0, 0), ("running", 1, 2), ("succeeded", 2, 2)]
    assert list(hosts.work_root().iterdir()) == []


def test_source_holds_the_artifacts_bytes_while_the_code_runs(submit, work, kernel, kubeflow):
    seen = []
    kernel.during = lambda: seen.append(open(kernel.jobs[0].source, "rb").read())  # noqa: PTH123, SIM115
    submit()
    work()
    assert seen == [kubeflow.contents["minio://b/predictions.csv"]]


def test_failed_render_keeps_message_line_and_notebook(submit, work, kernel, row):
    kernel.outcome = {
        "state": "failed",
        "reason": "user_error",
        "message": 'Column "score" is not in the file.',
        "traceback": "KeyError",
        "line": 3,
        "html": None,
    }
    made = submit()
    work()
    render = row(made.render)
    assert (render.state, render.reason, render.line) == (RenderState.FAILED, "user_error", 3)
    assert render.message == 'Column "score" is not in the file.'
    assert render.notebook
    assert not render.html


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda kubeflow, _settings: kubeflow.contents.clear(), "source_missing"),
        (lambda _kubeflow, settings: setattr(settings, "VIZPORTAL_MAX_SOURCE_BYTES", 20), "source_too_big"),
        (lambda kubeflow, _settings: setattr(kubeflow, "error", EndpointDownError("Down.")), "endpoint_down"),
    ],
)
def test_unavailable_source_fails_the_render_with_its_reason(
    submit, work, row, kubeflow, settings, kernel, change, reason
):
    made = submit()
    change(kubeflow, settings)
    work()
    render = row(made.render)
    assert (render.state, render.reason) == (RenderState.FAILED, reason)
    assert render.message
    assert kernel.jobs == []


def test_worker_refuses_queued_custom_code_when_switched_off(submit, work, row, settings, kernel):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    made = submit(type_key="custom", code="print(1)")
    settings.ALLOW_CUSTOM_VISUALIZATIONS = False
    work()
    assert (row(made.render).state, row(made.render).reason) == (RenderState.FAILED, "custom_off")
    assert kernel.jobs == []


def test_unbuilt_environment_says_how_to_build_it(submit, work, row, settings, tmp_path):
    made = submit()
    settings.VIZPORTAL_ENVIRONMENTS_DIR = tmp_path / "nothing"
    work()
    assert row(made.render).reason == "environment_missing"
    assert "environments build base" in row(made.render).message


def test_same_job_twice_renders_once(submit, work, row, kernel):
    made = submit()
    work()
    execution.render_execute(str(made.render.id), 1)
    assert len(kernel.jobs) == 1
    assert row(made.render).state == RenderState.SUCCEEDED


def test_running_render_is_cancelled(submit, work, row, kernel, owner, events):
    made = submit()
    kernel.during = lambda: cancellation.render_cancel(caller(owner), row(made.render))
    work()
    assert row(made.render).state == RenderState.CANCELLED


def test_render_is_cancelled_while_its_source_is_fetched(submit, work, row, kernel, owner, kubeflow):
    made = submit()

    def chunks():
        yield b"first"
        cancellation.render_cancel(caller(owner), row(made.render))
        yield b"second"

    kubeflow.contents["minio://b/predictions.csv"] = chunks()
    work()
    assert row(made.render).state == RenderState.CANCELLED
    assert kernel.jobs == []


def test_render_cancelled_before_its_claim_never_starts(submit, work, row, kernel):
    made = submit()
    Render.objects.filter(id=made.render.id).update(cancel_requested_at=timezone.now())
    work()
    assert kernel.jobs == []


def test_deleting_visualization_cancels_its_running_render(submit, work, kernel, owner, row, settings):
    made = submit()
    kernel.during = lambda: cancellation.visualization_delete(caller(owner), made.visualization)
    work()
    assert row(made.render).state == RenderState.CANCELLED
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []


def test_internal_error_shows_incident_number_and_no_details(submit, work, row, kernel, caplog):
    def break_down():
        raise ValueError("secret detail")

    kernel.during = break_down
    made = submit()
    work()
    render = row(made.render)
    assert (render.state, render.reason) == (RenderState.FAILED, "internal_error")
    assert "secret detail" not in render.message
    incident = render.message.split("incident ")[1][:8]
    assert any(incident in record.getMessage() and record.exc_info for record in caplog.records)


def test_rq_timeout_counts_as_timed_out(submit, work, row, kernel):
    def too_long():
        raise JobTimeoutException

    kernel.during = too_long
    made = submit()
    work()
    assert row(made.render).state == RenderState.TIMED_OUT


def test_render_succeeds_without_the_queue_server(submit, kernel, row, no_queue):
    made = submit()
    execution.render_execute(str(made.render.id), 1)
    assert row(made.render).state == RenderState.SUCCEEDED


def test_local_file_is_a_source_only_while_its_folder_is_allowed(submit, work, row, kernel, settings, tmp_path):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "it's.csv").write_text("a,b\n")
    settings.VIZPORTAL_SOURCE_ALLOW = [str(allowed)]
    made = submit(artifact_name="", source=f"{allowed}/it's.csv")
    assert made.visualization.artifact_uri == ""
    work()
    assert row(made.render).state == RenderState.SUCCEEDED
    assert kernel.jobs[0].spec.source_uri == f"file://{allowed}/it's.csv"
    again = render_again(caller(row(made.render).requested_by), row(made.render).visualization)
    settings.VIZPORTAL_SOURCE_ALLOW = []
    work()
    assert (row(again).state, row(again).reason) == (RenderState.FAILED, "source_refused")


def test_quotes_and_newlines_in_arguments_stay_text(submit, kernel, work):
    text = '\'); import os; os.abort() #\n\\"""'
    submit(type_key="roc_curve", title=f"T{text}", arguments={"target_column": text})
    work()
    [job] = kernel.jobs
    assert job.spec.arguments["target_column"] == text
    assert "os.abort" not in job.spec.code


def test_queued_render_uses_current_version_of_its_type(submit, work, row, kernel):
    made = submit(arguments={"max_rows": 7})
    now = made.render
    Render.objects.filter(id=now.id).update(
        code="import gone", type_version="old", arguments={"max_rows": 7}, receipt="x"
    )
    work()
    render = row(now)
    assert (render.code, render.type_version, render.receipt) == (now.code, now.type_version, now.receipt)
    assert kernel.jobs[0].spec.code == now.code
    assert render.arguments == now.arguments
