"""The tables of render states and reasons."""

import pytest
from django.db.models import TextChoices
from renderer import FailureReason

from apps.runs.entities import State
from apps.visualizations import exceptions
from apps.visualizations.models import Render
from apps.visualizations.states import ACTIVE_STATES, Fault, Reason, RenderState


def test_reasons_include_every_reason_of_the_renderer():
    assert {reason.value for reason in FailureReason} <= {reason.value for reason in Reason}


def test_state_values_and_order_are_stable():
    assert issubclass(RenderState, TextChoices)
    assert RenderState.values == ["queued", "running", "succeeded", "failed", "timed_out", "cancelled", "lost"]
    assert RenderState.labels[4] == "Timed out"
    assert ACTIVE_STATES == (RenderState.QUEUED, RenderState.RUNNING)
    assert [state for state in RenderState if state.is_final] == list(RenderState)[2:]


def test_reasons_fit_their_column():
    assert max(len(reason) for reason in Reason) <= Render._meta.get_field("reason").max_length
    assert all(reason.label and reason.value == reason.name.lower() for reason in Reason)


def test_advice_is_full_sentences_and_fault_values_are_stable():
    for reason in Reason:
        assert reason.advice == "" or (reason.advice[0].isupper() and reason.advice.endswith(".")), reason
    assert {each.value for each in Fault} == {"request", "portal", "machine"}


def test_machine_faults_are_retried():
    machine = {reason for reason in Reason if reason.is_machine_fault}
    assert machine == {reason for reason in Reason if reason.is_tried_again}
    assert machine == {
        Reason.WORKER_LOST,
        Reason.HOST_FAILED,
        Reason.KILLED_BY_SYSTEM,
        Reason.WORK_DISK_FULL,
        Reason.WORK_DIR_FAILED,
        Reason.STORE_FULL,
        Reason.STORE_FAILED,
        Reason.NO_DESCRIPTORS,
    }
    assert {reason for reason in Reason if reason.fault is Fault.PORTAL} == {
        Reason.BAD_RESULT,
        Reason.INTERNAL_ERROR,
        Reason.POISON,
        Reason.WORKER_STOPPED,
    }


def test_reason_determines_final_state():
    ends = {reason: reason.state for reason in Reason if reason.state is not RenderState.FAILED}
    assert ends == {
        Reason.TIMED_OUT: RenderState.TIMED_OUT,
        Reason.CANCELLED: RenderState.CANCELLED,
        Reason.WORKER_LOST: RenderState.LOST,
    }


def test_unknown_reason_is_accepted_and_unknown_state_is_not():
    assert Reason.by_value("a_reason_of_old") is None
    assert Reason.by_value("") is None
    with pytest.raises(KeyError):
        RenderState.by_value("exploded")


def test_errors_that_end_a_render_have_a_reason():
    kinds = [exceptions.MachineError, exceptions.SourceError]
    assert [kind("words").code for kind in kinds] == [Reason.WORKER_LOST, Reason.SOURCE_MISSING]
    assert exceptions.CustomOffError().code is Reason.CUSTOM_OFF
    assert exceptions.SourceError("words", code=Reason.SOURCE_CHANGED).code is Reason.SOURCE_CHANGED


@pytest.mark.django_db
def test_api_lists_states_and_reasons(owner, browser):
    answer = browser(owner).get("/api/v1/states").json()
    assert [row["value"] for row in answer["run_states"]] == [state.value for state in State]
    assert [row["value"] for row in answer["render_states"]] == RenderState.values
    assert [row["value"] for row in answer["reasons"]] == [reason.value for reason in Reason]
    failed = next(row for row in answer["run_states"] if row["value"] == "failed")
    assert failed == {
        "value": "failed",
        "label": "Failed",
        "icon": "circle-x",
        "tone": "bad",
        "is_final": True,
        "is_active": False,
        "severity": 10,
        "is_selectable": True,
    }
    lost = next(row for row in answer["reasons"] if row["value"] == "worker_lost")
    assert lost["state"] == "lost"
    assert lost["is_machine_fault"]
    assert lost["is_tried_again"]
    assert "Render again." in lost["advice"]
