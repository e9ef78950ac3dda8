"""Alerts on rules: a failed run, a rule that the portal paused, and a rule that works again."""

import pytest

from apps.notifications import checking, services
from apps.notifications.definitions import AlertDefinition
from apps.notifications.models import AlertEvent, Delivery, TargetKind
from apps.rules import events
from apps.rules.models import Rule, RuleRun
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)
FAILURE = {"state": "failed", "reason": "cell_error", "message": "There is no column score.", "html": None}
URL = "http://127.0.0.1:9/x"


@pytest.fixture
def watch(owner, settings):
    """Creates an alert on a rule."""
    settings.VIZPORTAL_NOTIFY_ALLOW = [URL]

    def made(rule, event):
        definition = AlertDefinition(event=event)
        targets = [(TargetKind.SLACK, URL)]
        return services.alert_create(caller(owner), rule.recipe, definition, targets, rule=rule).alert

    return made


def titles():
    return [row.message["title"] for row in Delivery.objects.order_by("created_at")]


def test_alerts_report_failed_runs_and_the_automatic_pause(make, add_run, turn, work, kernel, watch):
    rule = make(limits={"most_failures": 2})
    watch(rule, AlertEvent.RULE_FAILED)
    watch(rule, AlertEvent.RULE_PAUSED)
    kernel.outcome = FAILURE
    for _ in range(2):
        add_run()
        turn()
        work()
        turn(2)
    named = "table of data, tips"
    failed, paused = f"A run of the rule {named} failed", f"The rule {named} was paused"
    assert sorted(titles()) == [failed, failed, paused]
    message = Delivery.objects.get(message__title=paused).message
    assert message["rule"] == {"id": str(rule.id), "title": named, "state": "paused"}
    assert "2 runs in a row failed" in message["message"]
    assert message["url"].endswith(f"/rules/{rule.id}/")
    runs = {row.message["run"]["id"] for row in Delivery.objects.filter(message__title=failed)}
    assert runs == {"r2", "r3"}


def test_recovered_rule_is_reported_once(make, add_run, turn, work, kernel, watch):
    rule = make(limits={"most_failures": 9})
    watch(rule, AlertEvent.RULE_FAILED)
    outcome = kernel.outcome
    for state in (FAILURE, FAILURE, outcome, outcome):
        kernel.outcome = state
        add_run()
        turn()
        work()
        turn(2)
    failed, again = "A run of the rule table of data, tips failed", "The rule table of data, tips renders again"
    assert titles() == [failed, failed, again]
    message = Delivery.objects.get(message__title=again).message
    assert (message["is_recovered"], message["rule"]["state"], message["run"]["id"]) == (True, "working", "r4")


def test_manual_pause_sends_no_alert(make, owner, watch):
    from apps.rules import services as rules

    rule = make()
    watch(rule, AlertEvent.RULE_PAUSED)
    rules.rule_change(caller(owner), rule, is_enabled=False)
    assert titles() == []


def test_alert_on_a_rule_covers_only_its_renders(make, add_run, turn, work, watch, recipe):
    rule, other = make(name="run r2"), make(name="run r3")
    watch(rule, AlertEvent.RENDER_SUCCEEDED)
    for _ in range(2):
        add_run()
    turn()
    work()
    turn()
    assert set(RuleRun.objects.filter(rule=other).values_list("state", flat=True)) >= {"succeeded"}
    checking.alerts_pass()
    assert [row.message["run"]["id"] for row in Delivery.objects.all()] == ["r2"]


def test_failing_event_listener_does_not_affect_rules(make, add_run, turn, work, kernel, watch, monkeypatch):
    rule = make(limits={"most_failures": 1})
    watch(rule, AlertEvent.RULE_FAILED)
    events.listener_register("broken", events.Listener(on_trouble=lambda _: 1 / 0, on_success=lambda _: 1 / 0))
    try:
        kernel.outcome = FAILURE
        add_run()
        turn()
        work()
        turn()
    finally:
        events.listener_register("broken", events.Listener(on_trouble=lambda _: None, on_success=lambda _: None))
    assert not Rule.objects.get(id=rule.id).is_enabled
    assert len(titles()) == 1
