"""The table of run and step states, and the code that uses it."""

import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.template import Context, Template

from apps.runs.entities import Phase, State, Step
from apps.runs.entities.states import WORST_FIRST, StepKind
from apps.runs.gateway.filters import RunQuestion, run_filter
from apps.runs.graph.summary import counted
from apps.visualizations.states import RenderState
from tests.runs.kubeflow import run_row

STATIC = Path(settings.BASE_DIR) / "static"
EVERY_STATE = [*State, *RenderState]


def step(state):
    return Step(id=state.value, name=state.value, task_name=state.value, state=state)


def test_state_values_and_api_values_are_stable():
    assert {state.value: state.api_values for state in State} == {
        "pending": ("PENDING", "PAUSED"),
        "running": ("RUNNING", "CANCELING"),
        "succeeded": ("SUCCEEDED",),
        "failed": ("FAILED",),
        "cancelled": ("CANCELED",),
        "skipped": ("SKIPPED",),
        "cached": (),
        "unknown": (),
    }
    assert [State.by_value(state.value) for state in State] == list(State)
    assert [state for state in State if not state.is_selectable] == [State.CACHED, State.UNKNOWN]


def test_states_are_ordered_from_worst_to_best():
    assert [str(state) for state in WORST_FIRST] == (
        ["failed", "cancelled", "running", "pending", "unknown", "succeeded", "cached", "skipped"]
    )


def test_step_kinds_that_are_frames():
    assert {kind.value: kind.is_frame for kind in StepKind} == {
        "container": False,
        "importer": False,
        "dag": True,
        "loop": True,
        "iteration": True,
        "condition": True,
        "exit_handler": True,
    }
    assert [phase.value for phase in Phase if phase.is_final] == ["successful", "unsuccessful"]
    assert [phase.value for phase in Phase if not phase.is_final] == ["active", "unknown"]


def test_counts_list_all_states_worst_first():
    assert counted([step(state) for state in State]) == (
        "1 failed, 1 cancelled, 1 running, 1 pending, 1 unknown, 1 succeeded, 1 cached, 1 skipped"
    )
    assert len({state.severity for state in State}) == len(State)


def test_final_and_active_states():
    final = {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.SKIPPED, State.CACHED}
    assert {state for state in State if state.is_final} == final
    assert {state for state in State if state.is_active} == {State.PENDING, State.RUNNING}
    assert {state for state in State if state.phase is Phase.UNSUCCESSFUL} == {State.FAILED, State.CANCELLED}
    assert not State.UNKNOWN.is_final
    assert not State.UNKNOWN.is_active


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("PAUSED", State.PENDING),
        ("canceling", State.RUNNING),
        ("CANCELED", State.CANCELLED),
        ("SKIPPED", State.SKIPPED),
        ("CACHED", State.UNKNOWN),
        ("STATE_OF_THE_FUTURE", State.UNKNOWN),
    ],
)
def test_api_state_values_are_parsed(word, state):
    assert State.by_api_value(word) is state


@pytest.mark.parametrize("state", [state for state in State if state.is_selectable], ids=str)
def test_state_filter_sends_every_api_value(state):
    sent = json.loads(run_filter(RunQuestion(states=(state,))))["predicates"][1]
    words = sent.get("string_values", {}).get("values") or [sent["string_value"]]
    assert [State.by_api_value(word) for word in words] == [state] * len(state.api_values)


@pytest.mark.parametrize("state", EVERY_STATE, ids=[f"{type(state).__name__}-{state}" for state in EVERY_STATE])
def test_every_state_badge_has_an_existing_icon_and_colour(state):
    page = Template("{% load ui %}{% state_badge state %}").render(Context({"state": state}))
    icons = json.loads((STATIC / "vendor" / "icons.json").read_text(encoding="utf-8"))
    styles = (STATIC / "css" / "components.css").read_text(encoding="utf-8")
    tone = f"tone-{state.tone}"
    assert f".{tone} {{ --tone: var(--" in styles
    assert f'class="state state-{state.value} {tone}"' in page
    assert icons[state.icon] in page
    assert page.endswith(f"{state.label}</span>")


def test_states_of_runs_and_renders_with_the_same_name_look_the_same():
    for state in RenderState:
        twin = State.by_value(state.value)
        assert twin is None or (twin.label, twin.icon, twin.tone) == (state.label, state.icon, state.tone)


@pytest.mark.parametrize("value", ["exploded", None, ""])
def test_invalid_state_is_drawn_as_unknown(value):
    template = Template("{% load ui %}{% state_badge value %}")
    drawn = [template.render(Context({"value": each})) for each in (value, State.UNKNOWN)]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    ("word", "actions"),
    [
        ("PENDING", {"terminate"}),
        ("RUNNING", {"terminate"}),
        ("SUCCEEDED", {"archive"}),
        ("FAILED", {"retry", "archive"}),
        ("CANCELED", {"retry", "archive"}),
        ("STATE_OF_THE_FUTURE", {"archive"}),
    ],
)
def test_run_offers_the_actions_of_its_state(client, kubeflow, word, actions):
    kubeflow.runs = [run_row("r1", state=word)]
    page = BeautifulSoup(client.get("/runs/r1/").content, "html.parser")
    forms = {form["action"] for form in page.select(".page-header .actions form")}
    assert forms == {f"/runs/r1/{action}" for action in actions}
