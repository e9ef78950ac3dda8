"""A Kubeflow with any number of runs, listed in pages; users, a queue, and a kernel stand-in."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts.caller import absent_caller
from apps.rules import applying, services
from apps.rules.conditions import RunConditions
from apps.rules.models import Rule, RuleRun
from apps.runs.gateway import details, gateway_for_absent
from apps.visualizations.services import submission
from apps.visualizations.services.requests import VisualizationRequest
from tests.callers import caller
from tests.runs import kubeflow_server
from tests.runs.kubeflow import Kubeflow, run_row, with_finished_run
from tests.visualizations.conftest import (  # noqa: F401  (fixtures)
    admin,
    browser,
    kernel,
    owner,
    queue,
    reader,
    valkey_url,
    work,
)

FIRST = datetime(2026, 9, 1, tzinfo=UTC)
PAGE = 7


class Handler(kubeflow_server.Handler):
    """Lists runs in the requested order, a few at a time, as Kubeflow does."""

    def _list(self, path, query):
        if path != "runs":
            super()._list(path, query)
            return
        is_newest_first = query.get("sort_by", "").endswith("desc")
        key = lambda row: (row["created_at"], row["run_id"])  # noqa: E731
        rows = sorted(self._chosen(query), key=key, reverse=is_newest_first)
        rows = [row for row in rows if query.get("experiment_id", row["experiment_id"]) == row["experiment_id"]]
        start, size = int(query.get("page_token") or 0), min(PAGE, int(query.get("page_size") or PAGE))
        following = str(start + size) if start + size < len(rows) else ""
        self._json({"runs": rows[start : start + size], "total_size": len(rows), "next_page_token": following})


@pytest.fixture
def kubeflow(settings, monkeypatch):
    for name in ("kept_steps", "kept_specs", "kept_names"):
        monkeypatch.setattr(details, name, details.Kept(100))
    known = with_finished_run(Kubeflow())
    known.runs.clear()
    known.objects["mlpipeline/v2/artifacts/tips/r1/read-data/x/data.csv"] = b"a\n1\n"
    with kubeflow_server.serve(known, Handler) as served:
        settings.VIZPORTAL_ENDPOINTS = json.dumps([{"key": "default", "host": served.url, "timeout_s": 5}])
        yield served


@pytest.fixture
def add_run(kubeflow):
    """Adds a run, a minute after the previous one; the first is `r1`."""

    def add(run_id="", *, minute=None, **changes):
        number = len(kubeflow.runs) + 1
        created = FIRST + timedelta(minutes=number if minute is None else minute)
        row = run_row(run_id or f"r{number}", created_at=created.strftime("%Y-%m-%dT%H:%M:%SZ"), **changes)
        kubeflow.runs.append(row)
        return row

    return add


@pytest.fixture
def recipe(add_run, owner, kernel, work):  # noqa: F811
    """The recipe of a visualization that the owner rendered of the first run."""
    add_run()
    request = VisualizationRequest(type_key="table", run_id="r1", step_id="read-data", artifact_name="data")
    gateway = gateway_for_absent(absent_caller(owner), "", "")
    found = submission.visualization_create(caller(owner), request, gateway).visualization.recipe
    work()
    kernel.jobs.clear()
    return found


@pytest.fixture
def make(recipe, owner):  # noqa: F811
    """Creates a rule of the owner."""

    def made(user=None, *, limits=None, **conditions):
        wanted = RunConditions(**{"pipeline": recipe.pipeline_name, **conditions})
        return services.rule_create(caller(user or owner), recipe, wanted, **(limits or {}))

    return made


@pytest.fixture
def turn(db):
    """Runs the reconciler's pass over rules that many times, each as if the last one was long ago."""

    def run(times=1):
        done = 0
        for _ in range(times):
            Rule.objects.update(looked_at=None)
            done += applying.rules_pass()
        return done

    return run


@pytest.fixture
def states():
    """Returns the state of each run that a rule has met, by run id."""
    return lambda rule: dict(RuleRun.objects.filter(rule=rule).values_list("run_id", "state"))
