"""Preserved runs: copied when something was saved, readable after Kubeflow deletes the run, limited in size."""

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
    """Lets the reconciler use the Kubeflow stand-in; returns the user name of each request."""
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
    """Saves a visualization as if some minutes ago."""

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


def test_copied_run_is_readable_after_kubeflow_deletes_it(saved, kubeflow, browser, owner, asked):
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


def test_run_is_copied_once_for_several_visualizations(saved, asked):
    saved()
    saved(type_key="roc_curve")
    copying.preservation_pass()
    copying.preservation_pass()
    assert (PreservedRun.objects.count(), PreservedLog.objects.count(), len(asked)) == (1, 1, 1)


def test_visualization_saved_just_now_is_copied_later(submit):
    submit()
    assert copying.preservation_pass() == 0


def test_log_of_another_step_is_added_to_a_copied_run(saved, kubeflow, asked):
    first = saved()
    copying.preservation_pass()
    step = kubeflow.details.steps[0]
    kubeflow.details = replace(kubeflow.details, steps=(step, replace(step, id="s2", name="trainer")))
    second = saved(type_key="roc_curve")
    Visualization.objects.filter(pk=second.pk).update(step_id="s2", created_at=first.created_at + timedelta(seconds=1))
    copying.preservation_pass()
    assert set(PreservedLog.objects.values_list("step_id", flat=True)) == {"s1", "s2"}


def test_active_run_is_copied_again_until_it_ends(saved, kubeflow):
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


def test_unreachable_kubeflow_is_not_asked_for_each_run(saved, kubeflow, asked):
    saved()
    copying.runs_find()
    first = PreservedRun.objects.get()
    PreservedRun.objects.create(endpoint_key=first.endpoint_key, run_id="r2", next_at=first.next_at)
    kubeflow.error = EndpointDownError("no answer")
    copying.preservation_pass()
    assert sorted(PreservedRun.objects.values_list("failures", flat=True)) == [0, 1]


def test_unreachable_kubeflow_is_retried_later(saved, kubeflow, asked):
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
def test_copying_gives_up_with_a_reason_if_run_is_inaccessible(saved, kubeflow, error, browser, owner):
    visualization = saved()
    kubeflow.error = error
    for _ in range(12):
        copying.preservation_pass()
        due_now()
    copy = PreservedRun.objects.get()
    assert (copy.next_at, copy.note) == (None, str(error))
    assert browser(owner).get(f"/visualizations/{visualization.pk}/run/").status_code == 404


def test_run_deleted_while_active_keeps_its_copy(saved, kubeflow):
    kubeflow.details = replace(kubeflow.details, run=replace(kubeflow.details.run, state=State.RUNNING))
    saved()
    copying.preservation_pass()
    delete_run(kubeflow)
    due_now()
    copying.preservation_pass()
    copy = PreservedRun.objects.get()
    assert copy.content
    assert copy.next_at is None


def test_copy_stays_within_size_limit_and_reports_omissions(saved, kubeflow, settings, browser, owner):
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


def test_nothing_is_copied_when_switched_off(saved, settings):
    settings.VIZPORTAL_PRESERVE_BYTES = 0
    saved()
    assert copying.preservation_pass() == 0
    assert not PreservedRun.objects.exists()


def test_copy_is_deleted_with_the_last_visualization_of_its_run(saved):
    first, second = saved(), saved(type_key="roc_curve")
    copying.preservation_pass()
    for each, left in ((first, 1), (second, 0)):
        Visualization.objects.filter(pk=each.pk).update(deleted_at=timezone.now())
        pruning.visualizations_purge(timezone.now() + timedelta(days=2))
        assert PreservedRun.objects.count() == left


def test_copy_requires_sign_in_and_a_role(saved, browser, reader, settings):
    visualization = saved()
    copying.preservation_pass()
    address = f"/visualizations/{visualization.pk}/run/"
    assert Client().get(address).status_code == 302
    settings.VIZPORTAL_DEFAULT_ROLE = "none"
    assert browser(reader).get(address).status_code == 403


def test_document_is_read_back_unchanged_and_damage_detected():
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
