"""Copies of runs: made once something was saved, readable after Kubeflow has deleted the run, within a limit."""

import math
import random
import string
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.preservation import copying, documents
from apps.preservation.models import PreservedLog, PreservedRun
from apps.runs.entities import Run, RunDetails, State, Step, StepLog
from apps.runs.exceptions import EndpointDownError, NotFoundError, NotSignedInError
from apps.visualizations.models import Visualization
from apps.visualizations.services import pruning

pytestmark = pytest.mark.django_db(transaction=True)
LOG = "first line\nMemoryError: too much\n"


@pytest.fixture(autouse=True)
def asked(kubeflow, monkeypatch):
    """Kubeflow as the reconciler asks it; returns how often, and in whose name."""
    names = []

    def gateway(caller, _endpoint_key, _namespace):
        names.append(caller.username)
        return kubeflow

    step = replace(kubeflow.details.steps[0], inputs={"rate": 0.1}, error="it failed")
    run = replace(kubeflow.details.run, parameters={"epochs": 3}, error="evaluator failed")
    kubeflow.details = replace(kubeflow.details, run=run, steps=(step,))
    kubeflow.step_log = lambda _run, _step: StepLog(text=LOG)
    monkeypatch.setattr(copying, "gateway_for_absent", gateway)
    return names


@pytest.fixture
def saved(submit):
    """A visualization that was saved some minutes ago."""

    def save(**values):
        made = submit(**values)
        long_ago = timezone.now() - timedelta(minutes=5)
        Visualization.objects.filter(pk=made.visualization.pk).update(created_at=long_ago)
        return Visualization.objects.get(pk=made.visualization.pk)

    return save


def delete_run(kubeflow):
    def gone(run_id):
        raise NotFoundError(f"There is no run {run_id}.")

    kubeflow.run_details = gone


def due_now():
    PreservedRun.objects.filter(next_at__isnull=False).update(next_at=timezone.now())


def test_a_run_is_copied_and_stays_readable_when_kubeflow_has_deleted_it(saved, kubeflow, browser, owner, asked):
    visualization = saved()
    assert copying.preservation_pass() == 2
    delete_run(kubeflow)
    page = browser(owner).get(f"/visualizations/{visualization.pk}/run/").content.decode()
    for words in (
        "taxi run",
        "evaluator failed",
        "it failed",
        "rate",
        "epochs",
        "MemoryError: too much",
        "minio://b/model",
    ):
        assert words in page
    assert '<svg class="graph"' in page
    assert (
        f"/visualizations/{visualization.pk}/run/"
        in browser(owner).get(visualization.get_absolute_url()).content.decode()
    )
    given = browser(owner).get(f"/api/v1/visualizations/{visualization.pk}/run").json()
    assert (given["name"], given["steps"][0]["name"], given["logs"]) == ("taxi run", "evaluator", {"s1": LOG})
    assert asked == ["owner"]


def test_it_is_copied_once_whatever_runs_beside_it(saved, asked):
    saved()
    saved(type_key="roc_curve")
    copying.preservation_pass()
    copying.preservation_pass()
    assert (PreservedRun.objects.count(), PreservedLog.objects.count(), len(asked)) == (1, 1, 1)


def test_what_was_saved_just_now_waits_for_transactions_that_end_later(submit):
    submit()
    assert copying.preservation_pass() == 0


def test_another_step_of_a_copied_run_has_its_log_added(saved, kubeflow, asked):
    first = saved()
    copying.preservation_pass()
    step = kubeflow.details.steps[0]
    kubeflow.details = replace(kubeflow.details, steps=(step, replace(step, id="s2", name="trainer")))
    second = saved(type_key="roc_curve")
    Visualization.objects.filter(pk=second.pk).update(step_id="s2", created_at=first.created_at + timedelta(seconds=1))
    copying.preservation_pass()
    assert set(PreservedLog.objects.values_list("step_id", flat=True)) == {"s1", "s2"}


def test_a_live_run_is_copied_again_until_it_has_ended(saved, kubeflow):
    done = kubeflow.details
    kubeflow.details = replace(done, run=replace(done.run, state=State.RUNNING))
    saved()
    copying.preservation_pass()
    assert PreservedRun.objects.get().next_at > timezone.now()
    kubeflow.details = done
    due_now()
    copying.preservation_pass()
    copy = PreservedRun.objects.get()
    assert copy.next_at is None
    assert documents.run_read(bytes(copy.content)).run.state is State.SUCCEEDED


def test_a_silent_kubeflow_is_asked_again_later_and_not_for_each_run(saved, kubeflow, asked):
    saved()
    kubeflow.error = EndpointDownError("no answer")
    copying.preservation_pass()
    copy = PreservedRun.objects.get()
    assert (copy.failures, copy.content, copy.note) == (1, None, "no answer")
    assert copy.next_at > timezone.now()
    kubeflow.error = None
    due_now()
    copying.preservation_pass()
    copy = PreservedRun.objects.get()
    assert (copy.failures, copy.note, copy.next_at) == (0, "", None)


@pytest.mark.parametrize("error", [NotSignedInError("people's own"), NotFoundError("no such run")])
def test_a_run_that_cannot_be_copied_says_why_and_ends(saved, kubeflow, error, browser, owner):
    visualization = saved()
    kubeflow.error = error
    for _ in range(12):
        copying.preservation_pass()
        due_now()
    copy = PreservedRun.objects.get()
    assert (copy.next_at, copy.note) == (None, str(error))
    assert browser(owner).get(f"/visualizations/{visualization.pk}/run/").status_code == 404


def test_a_run_that_is_deleted_while_it_is_watched_keeps_its_copy(saved, kubeflow):
    kubeflow.details = replace(kubeflow.details, run=replace(kubeflow.details.run, state=State.RUNNING))
    saved()
    copying.preservation_pass()
    delete_run(kubeflow)
    due_now()
    copying.preservation_pass()
    copy = PreservedRun.objects.get()
    assert copy.content
    assert copy.next_at is None


def test_a_copy_stays_within_its_limit_and_says_what_is_missing(saved, kubeflow, settings, browser, owner):
    settings.VIZPORTAL_PRESERVE_BYTES = 4000
    noise = "".join(random.Random(0).choices(string.ascii_letters, k=50_000))
    step = replace(kubeflow.details.steps[0], inputs={"large": noise})
    kubeflow.details = replace(kubeflow.details, steps=(step,))
    kubeflow.step_log = lambda _run, _step: StepLog(text="\n".join(f"{n} {noise[n : n + 60]}" for n in range(5000)))
    visualization = saved()
    copying.preservation_pass()
    copy = PreservedRun.objects.get()
    log = PreservedLog.objects.get()
    assert len(copy.content) + len(log.content) <= 4000
    assert log.is_cut
    assert documents.log_read(bytes(log.content)).splitlines()[-1].startswith("4999 ")
    page = browser(owner).get(f"/visualizations/{visualization.pk}/run/").content.decode()
    assert "were too large to be kept" in page


def test_nothing_is_copied_where_it_is_switched_off(saved, settings):
    settings.VIZPORTAL_PRESERVE_BYTES = 0
    saved()
    assert copying.preservation_pass() == 0
    assert not PreservedRun.objects.exists()


def test_the_copy_goes_with_the_last_visualization_of_its_run(saved):
    first, second = saved(), saved(type_key="roc_curve")
    copying.preservation_pass()
    for each, left in ((first, 1), (second, 0)):
        Visualization.objects.filter(pk=each.pk).update(deleted_at=timezone.now())
        pruning.visualizations_purge(timezone.now() + timedelta(days=2))
        assert PreservedRun.objects.count() == left


def test_a_stranger_sees_no_copy(saved, browser, reader, settings):
    visualization = saved()
    copying.preservation_pass()
    address = f"/visualizations/{visualization.pk}/run/"
    assert Client().get(address).status_code == 302
    settings.VIZPORTAL_DEFAULT_ROLE = "none"
    assert browser(reader).get(address).status_code == 403


def test_a_document_is_read_as_it_was_written():
    step = Step(
        id="s", name="s", task_name="s", state=State.FAILED, started_at=timezone.now(), outputs={"loss": math.inf}
    )
    run = Run(id="r", name="\ud800 odd", state=State.SUCCEEDED, parameters={"a": [1, {"b": None}], "big": 2**60})
    details = RunDetails(run=run, steps=(step,))
    document, note = documents.run_write(details, 10_000)
    assert note == ""
    assert documents.run_read(document) == details
    for damaged in (document[:-5], b"", b"x"):
        with pytest.raises(ValueError, match="damaged"):
            documents.run_read(damaged)
