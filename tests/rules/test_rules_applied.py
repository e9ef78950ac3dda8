"""How rules are applied: to which runs, when, how often, and what stops them."""

import random
from collections import Counter

import pytest
from django.db import connection

from apps.accounts import roles
from apps.accounts.caller import absent_caller
from apps.accounts.models import AuditEntry
from apps.accounts.roles import Role
from apps.rules import applying, selectors, services
from apps.rules.models import Rule, RuleRun
from apps.runs.models import RunTag
from apps.visualizations.exceptions import InvalidRequestError
from apps.visualizations.models import Visualization
from apps.visualizations.services import reconciliation
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)


def rendered():
    """Returns the number of visualizations of each run."""
    return Counter(Visualization.objects.values_list("run_id", flat=True))


def test_only_runs_that_end_after_the_rule_was_made_are_rendered(make, add_run, turn, work, states):
    for _ in range(20):
        add_run()
    rule = make()
    add_run("new")
    turn()
    work()
    turn()
    assert rendered() == {"r1": 1, "new": 1}
    assert states(rule)["new"] == "succeeded"
    assert set(states(rule).values()) <= {"succeeded", "skipped"}


def test_reconciler_pass_applies_rules(make, add_run, work, states):
    rule = make()
    add_run("new")
    assert reconciliation.reconcile().parts["rules"] >= 1
    assert states(rule)["new"] == "rendering"


def test_run_is_rendered_when_it_ends_however_late(make, add_run, turn, work, states):
    before = add_run("long", state="RUNNING")
    rule = make()
    later = add_run("late", state="PENDING")
    for _ in range(30):
        add_run(state="FAILED")
    turn(2)
    assert (states(rule)["long"], states(rule)["late"]) == ("waiting", "waiting")
    before["state"] = later["state"] = "SUCCEEDED"
    turn()
    work()
    turn()
    assert rendered() == {"r1": 1, "long": 1, "late": 1}


def test_failed_or_deleted_run_is_skipped_with_a_reason(make, add_run, turn, kubeflow):
    rule = make()
    failing, gone = add_run("failing", state="RUNNING"), add_run("gone", state="RUNNING")
    archived = add_run("archived", state="RUNNING")
    turn()
    failing["state"] = "FAILED"
    archived |= {"state": "SUCCEEDED", "storage_state": "ARCHIVED"}
    kubeflow.runs.remove(gone)
    turn()
    messages = dict(RuleRun.objects.filter(rule=rule).values_list("run_id", "message"))
    assert "ended as failed" in messages["failing"]
    assert "no longer has" in messages["gone"]
    assert RuleRun.objects.get(rule=rule, run_id="archived").state == "rendering"


@pytest.mark.parametrize(
    ("conditions", "changes", "is_met"),
    [
        ({"pipeline": "tips*"}, {}, True),
        ({"pipeline": "other"}, {}, False),
        ({"pipeline": ""}, {}, True),
        ({"name": "nightly *"}, {"display_name": "nightly 3"}, True),
        ({"name": "nightly *"}, {"display_name": "weekly nightly 3"}, False),
        ({"name": "a[1] ?"}, {"display_name": "a[1] x"}, True),
        ({"name": "a[1] ?"}, {"display_name": "a1 x"}, False),
        ({"experiment_id": "e1"}, {}, True),
        ({"experiment_id": "e2"}, {}, False),
    ],
)
def test_conditions(make, add_run, turn, states, conditions, changes, is_met):
    rule = make(**conditions)
    add_run("new", **changes)
    turn()
    assert ("new" in states(rule)) is is_met


def test_rule_for_failed_runs(make, add_run, turn, states):
    from apps.runs.entities import State

    rule = make(state=State.FAILED)
    add_run("bad", state="FAILED")
    add_run("good")
    turn()
    assert states(rule)["bad"] == "rendering"
    assert states(rule)["good"] == "skipped"


def test_tag_condition_is_checked_when_the_run_ends(make, add_run, turn, states):
    rule = make(tag="release")
    with_tag, without = add_run("with", state="RUNNING"), add_run("without", state="RUNNING")
    turn()
    RunTag.objects.create(endpoint_key="default", run_id="with", name="release")
    with_tag["state"] = without["state"] = "SUCCEEDED"
    turn()
    assert (states(rule)["with"], states(rule)["without"]) == ("rendering", "skipped")


def test_run_listed_late_is_not_missed(make, add_run, turn, states):
    rule = make()
    add_run("later", minute=100)
    turn()
    add_run("slow", minute=99)
    turn()
    assert {"later", "slow"} <= set(states(rule))


def test_dry_run_counts_exactly_and_changes_nothing(make, add_run, recipe, owner):
    for number in range(49):
        add_run(state="SUCCEEDED" if number % 7 else "FAILED")
    rule = make()
    kept = Rule.objects.count(), RuleRun.objects.count(), Visualization.objects.count()
    conditions = selectors.conditions_of(rule)
    wanted = 1 + sum(1 for number in range(49) if number % 7)
    tried = services.rule_dry_run(caller(owner), recipe, conditions, 100)
    assert (len(tried.found.runs), tried.found.is_complete) == (wanted, True)
    few = services.rule_dry_run(caller(owner), recipe, conditions, 10)
    assert ([run.id for run in few.found.runs], few.found.is_complete) == (
        [run.id for run in tried.found.runs[:10]],
        False,
    )
    assert kept == (Rule.objects.count(), RuleRun.objects.count(), Visualization.objects.count())


def test_earlier_runs_are_rendered_once_however_often_applied(make, add_run, turn, work, owner, states):
    for _ in range(50):
        add_run()
    rule = make()
    assert services.rule_apply_to_last(caller(owner), rule, 50) == 50
    assert services.rule_apply_to_last(caller(owner), rule, 50) == 0
    for _ in range(7):
        turn()
        work()
    turn()
    assert services.rule_apply_to_last(caller(owner), rule, 50) == 0
    # r1 has been rendered manually.
    assert set(rendered().values()) == {1}
    assert len(rendered()) == 51
    assert Counter(states(rule).values())["succeeded"] == 50


class KilledError(BaseException):
    """Simulates a process that dies between two SQL statements."""


def killed_after(statements):
    """Raises KilledError after that many SQL statements."""
    left = [statements]

    def wrapper(execute, sql, params, many, context):
        left[0] -= 1
        if left[0] < 0:
            raise KilledError
        return execute(sql, params, many, context)

    return connection.execute_wrapper(wrapper)


def test_each_run_is_rendered_once_despite_random_kills(make, add_run, turn, work, owner, states):
    for _ in range(12):
        add_run()
    rule = make(limits={"most_waiting": 4})
    services.rule_apply_to_last(caller(owner), rule, 12)
    for _ in range(8):
        add_run()
    chance, kills = random.Random(7), 0
    for _ in range(60):
        Rule.objects.update(looked_at=None)
        try:
            with killed_after(chance.randrange(1, 120)):
                applying.rules_pass()
        except KilledError:
            kills += 1
        if chance.random() < 0.3:
            work()
    for _ in range(10):
        turn()
        reconciliation.reconcile()
        work()
    turn()
    assert kills > 10
    counts = rendered()
    assert set(counts.values()) == {1}, counts
    assert Counter(states(rule).values())["succeeded"] == 20
    assert Visualization.objects.exclude(latest__number=1).count() == 0


def test_concurrent_reconcilers_render_a_run_once(make, add_run, turn, work, monkeypatch, states):
    rule = make()
    add_run("new")
    slow = applying.recipe_apply

    def overtaken(*args, **kwargs):
        monkeypatch.setattr(applying, "recipe_apply", slow)
        applying.rule_work(Rule.objects.get(id=rule.id))
        return slow(*args, **kwargs)

    monkeypatch.setattr(applying, "recipe_apply", overtaken)
    turn()
    assert rendered()["new"] == 1
    assert states(rule)["new"] == "rendering"


def test_waiting_renders_of_a_rule_are_limited(make, add_run, turn, owner, states):
    for _ in range(10):
        add_run()
    rule = make(limits={"most_waiting": 3})
    services.rule_apply_to_last(caller(owner), rule, 10)
    turn(3)
    assert Counter(states(rule).values())["rendering"] == 3


def test_pause_keeps_waiting_runs_and_cancel_drops_them(make, add_run, turn, work, owner, states):
    for _ in range(5):
        add_run()
    rule = make()
    services.rule_change(caller(owner), rule, is_enabled=False)
    add_run("meanwhile")
    services.rule_apply_to_last(caller(owner), rule, 4)
    turn()
    assert rendered() == {"r1": 1}
    assert services.rule_cancel(caller(owner), rule) == 4
    services.rule_change(caller(owner), rule, is_enabled=True)
    turn(2)
    assert "meanwhile" not in rendered(), "cancelled with the rest"
    add_run("after")
    turn()
    assert states(rule)["after"] == "rendering"
    assert services.rule_apply_to_last(caller(owner), rule, 5) == 4, "what was cancelled may be asked for again"


def test_run_that_ends_during_a_pause_is_rendered_afterwards(make, add_run, turn, owner, states):
    rule = make()
    services.rule_change(caller(owner), rule, is_enabled=False)
    add_run("meanwhile")
    turn()
    services.rule_change(caller(owner), rule, is_enabled=True)
    turn()
    assert states(rule)["meanwhile"] == "rendering"


def test_rule_pauses_with_a_reason_after_repeated_failures(make, add_run, turn, work, kernel, states):
    rule = make(limits={"most_failures": 3})
    kernel.outcome = {"state": "failed", "reason": "cell_error", "message": "no column score", "html": None}
    for _ in range(3):
        add_run()
        turn()
        work()
    turn()
    rule.refresh_from_db()
    assert (rule.is_enabled, rule.failures) == (False, 3)
    assert "3 runs in a row failed" in rule.paused_because
    assert "no column score" in rule.paused_because
    assert AuditEntry.objects.filter(action="rule.pause", target=str(rule.id)).count() == 1
    add_run("after")
    turn()
    assert "after" not in rendered()


def test_success_resets_the_failure_count(make, add_run, turn, work, kernel):
    rule = make(limits={"most_failures": 2})
    for state in ("failed", "succeeded", "failed"):
        kernel.outcome = {} if state == "succeeded" else {"state": "failed", "reason": "cell_error", "html": None}
        add_run()
        turn()
        work()
        turn()
    rule.refresh_from_db()
    assert (rule.is_enabled, rule.failures) == (True, 1)


def test_run_without_the_artifact_fails_with_the_reason(make, add_run, turn, recipe, states):
    rule = make()
    type(recipe).objects.filter(id=recipe.id).update(artifact_name="gone")
    add_run("new")
    turn()
    assert "no artifact 'gone'" in RuleRun.objects.get(rule=rule, run_id="new").message
    assert states(rule)["new"] == "failed"


def test_unreachable_kubeflow_fails_no_run(make, add_run, turn, settings, states, kubeflow):
    rule = make()
    good = settings.VIZPORTAL_ENDPOINTS
    settings.VIZPORTAL_ENDPOINTS = '[{"key": "default", "host": "http://127.0.0.1:9", "timeout_s": 1}]'
    add_run("new")
    assert turn() == 0
    settings.VIZPORTAL_ENDPOINTS = good
    turn()
    rule.refresh_from_db()
    assert (rule.is_enabled, rule.failures, states(rule)["new"]) == (True, 0, "rendering")


@pytest.mark.parametrize("end", ["role", "inactive"])
def test_rule_stops_when_its_owner_loses_permission(make, add_run, turn, owner, settings, end):
    rule = make()
    add_run("new")
    if end == "role":
        settings.VIZPORTAL_DEFAULT_ROLE = "none"
        roles.role_set(owner, Role.VIEWER)
    else:
        owner.is_active = False
        owner.save()
    turn()
    rule.refresh_from_db()
    assert not rule.is_enabled
    assert "may no longer act for owner" in rule.paused_because
    assert rendered() == {"r1": 1}


def test_rule_has_no_more_permissions_than_its_owner(owner, settings):
    absent = absent_caller(owner)
    assert not absent.is_trusted
    assert not absent.sees_everything
    settings.VIZPORTAL_DEFAULT_ROLE = "none"
    assert not absent.may("create")


def test_run_already_rendered_by_the_owner_is_not_rendered_again(make, add_run, turn, owner, states):
    rule = make()
    assert services.rule_apply_to_last(caller(owner), rule, 1) == 1
    turn()
    assert rendered() == {"r1": 1}
    assert states(rule)["r1"] == "succeeded"


def test_endpoint_with_personal_credentials_allows_no_rules(recipe, owner, settings, kubeflow):
    from apps.rules.conditions import RunConditions
    from apps.runs.exceptions import NotSignedInError

    settings.VIZPORTAL_ENDPOINTS = (
        f'[{{"key": "default", "host": "{kubeflow.url}", "auth": "person-cookie", "person_cookies": ["x"]}}]'
    )
    with pytest.raises(NotSignedInError, match="somebody who is not there"):
        services.rule_create(caller(owner), recipe, RunConditions())
    assert not Rule.objects.exists()


def test_invalid_limits_and_names_are_refused(make, owner, monkeypatch):
    for limits in ({"most_waiting": 0}, {"most_failures": 1001}):
        with pytest.raises(InvalidRequestError):
            make(limits=limits)
    with pytest.raises(InvalidRequestError, match=r"too long"):
        make(pipeline="x" * 501)
    rule = make()
    with pytest.raises(InvalidRequestError):
        services.rule_apply_to_last(caller(owner), rule, 0)
    monkeypatch.setattr(services, "MOST_RULES", 1)
    with pytest.raises(InvalidRequestError, match="already have 1 rules"):
        make()
