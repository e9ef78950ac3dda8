"""The conditions of a rule, and searching Kubeflow for runs that meet them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

from apps.accounts.caller import Caller
from apps.runs.entities import Run, State
from apps.runs.gateway import Gateway
from apps.runs.gateway.filters import RunQuestion
from apps.runs.selectors import tags_of

MOST_SCANNED: Final = 5000
"""Maximum number of runs that a search examines."""
_PAGE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConditions:
    """Conditions for runs.

    Attributes:
        pipeline, name: patterns, in which `*` matches any text and `?` one character; "" for any.
        experiment_id, tag: "" for any.
        state: the state in which a run must have ended.
    """

    pipeline: str = ""
    name: str = ""
    experiment_id: str = ""
    tag: str = ""
    state: State = State.SUCCEEDED

    def question(self) -> RunQuestion:
        """Returns the query for Kubeflow, which finds all matching runs and possibly others."""
        literal = max(re.split(r"[*?]", self.name), key=len)
        return RunQuestion(text=literal, experiment_id=self.experiment_id)

    def match(self, caller: Caller, gateway: Gateway, runs: tuple[Run, ...]) -> list[Run]:
        """Returns the matching runs with their pipelines' names, ignoring their state."""
        own = [run for run in runs if run.id and _fits(run.name, self.name)]
        own = [run for run in own if self.experiment_id in {"", run.experiment_id}]
        found = [run for run in gateway.runs_named(own) if _fits(run.pipeline_name, self.pipeline)]
        if self.tag:
            tags = tags_of(caller, gateway, found)
            found = [run for run in found if self.tag in tags.get(run.id, ())]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRuns:
    """The runs that a search found.

    Attributes:
        runs: newest first.
        scanned: number of runs examined.
        is_complete: False if older runs were not examined or not returned.
    """

    runs: tuple[Run, ...]
    scanned: int
    is_complete: bool


def runs_ended(caller: Caller, gateway: Gateway, conditions: RunConditions, most: int) -> FoundRuns:
    """Finds the newest matching runs that ended in the wanted state, at most `most`.

    Raises:
        RunsError: Kubeflow does not answer, or refuses.
    """
    question = replace(conditions.question(), states=(conditions.state,))
    found: list[Run] = []
    scanned = 0
    for page in run_pages(gateway, question):
        scanned += len(page)
        found += conditions.match(caller, gateway, page)
        if len(found) > most or scanned >= MOST_SCANNED:
            return FoundRuns(runs=tuple(found[:most]), scanned=scanned, is_complete=False)
    return FoundRuns(runs=tuple(found), scanned=scanned, is_complete=True)


def run_pages(gateway: Gateway, question: RunQuestion) -> Iterator[tuple[Run, ...]]:
    """Yields the pages of a list of runs."""
    token = ""
    while True:
        page = gateway.runs(question, page_size=_PAGE, page_token=token)
        yield page.items
        token = page.next_token
        if not token:
            return


def _fits(name: str, pattern: str) -> bool:
    return not pattern or fnmatchcase(name, pattern.replace("[", "[[]"))
