"""When an alert fires: once for each crossing, even if passes are repeated, killed or concurrent."""

import json
import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from renderer import KeyFigure

from apps.notifications import checking, deliveries, services
from apps.notifications.conditions import change_find, threshold_find
from apps.notifications.definitions import AlertDefinition
from apps.notifications.models import Alert, AlertCheck, AlertEvent, Delivery, TargetKind
from apps.visualizations.models import Recipe, Visualization
from apps.visualizations.services import reconciliation
from apps.visualizations.services.again import render_again
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_crossing_sends_one_message(make, ended, turn, titles):
    make()
    for value in (0.9, 0.7, 0.6, 0.7, 0.85, 0.8, 0.79, 0.79):
        ended(value)
        turn()
        turn()
    assert titles() == [
        "auc is 0.7, below 0.8: table of data, run 2",
        "auc is 0.79, below 0.8: table of data, run 7",
    ]


def test_each_recovery_sends_one_message(make, ended, turn, send, titles, receiver):
    alert = make(recovery=True).alert
    for value in (0.9, 0.7, 0.6, 0.85, 0.9, None, 0.95, 0.75, 0.8):
        ended(value)
        turn()
        turn()
    assert titles() == [
        "auc is 0.7, below 0.8: table of data, run 2",
        "auc is 0.85, no longer below 0.8: table of data, run 4",
        "auc is 0.75, below 0.8: table of data, run 8",
        "auc is 0.8, no longer below 0.8: table of data, run 9",
    ]
    assert [row.message["is_recovered"] for row in Delivery.objects.order_by("created_at")] == [False, True] * 2
    assert list(AlertCheck.objects.order_by("render__finished_at").values_list("fired", flat=True)).count(True) == 4
    alert.refresh_from_db()
    assert (alert.is_met, alert.fired_at) == (False, None)
    send()
    bodies = [json.loads(body) for _path, _headers, body in receiver.requests]
    assert sorted((body["is_recovered"], body["event"]) for body in bodies) == [
        *[(False, "figure_crossed")] * 2,
        *[(True, "figure_crossed")] * 2,
    ]


def test_recovery_is_not_sent_without_a_previous_alert(make, ended, turn, titles, owner):
    ended(0.5, at=timezone.now() - timedelta(minutes=5))
    alert = make(recovery=True).alert
    assert alert.is_met
    ended(0.9)
    turn()
    assert titles() == []
    ended(0.5)
    turn()
    assert len(titles()) == 1
    services.alert_change(caller(owner), alert, sends_recovery=False)
    ended(0.9)
    turn()
    assert len(titles()) == 1
    services.alert_change(caller(owner), alert, sends_recovery=True)
    ended(0.95)
    turn()
    assert len(titles()) == 1


def test_recovery_when_figure_is_near_its_baseline_again(make, ended, turn, titles, recipe):
    baseline = ended(0.9).visualization
    Recipe.objects.filter(id=recipe.id).update(baseline=baseline)
    recipe.refresh_from_db()
    make(AlertEvent.FIGURE_CHANGED, recovery=True)
    for value in (0.7, 0.6, 0.85, 0.88):
        ended(value)
        turn()
    assert titles() == [
        "auc changed from 0.9 to 0.7: table of data, run 2",
        "auc is 0.85, near the baseline 0.9 again: table of data, run 4",
    ]


def test_recovery_when_renders_succeed_again(make, ended, turn, titles):
    make(AlertEvent.RENDER_FAILED, recovery=True)
    now = timezone.now()
    ended()
    turn()
    for minute, state in ((10, "failed"), (12, "failed"), (11, "succeeded")):
        ended(state=state, at=now + timedelta(minutes=minute))
    turn()
    turn()
    assert [title.partition(":")[0] for title in titles()] == ["Failed", "Failed"], "the later one failed"
    ended(at=now + timedelta(minutes=13))
    ended(at=now + timedelta(minutes=14))
    turn()
    turn()
    assert titles()[2:] == ["Works again: table of data, run 5"]
    ended(state="timed_out", at=now + timedelta(minutes=15))
    turn()
    assert len(titles()) == 4


def test_two_reconcilers_write_one_recovery(make, ended, titles):
    make(recovery=True)
    ended(0.7)
    ended(0.9)
    for _ in range(3):
        for alert in Alert.objects.all():
            stale = Alert.objects.get(id=alert.id)
            checking.alert_work(alert, timezone.now())
            checking.alert_work(stale, timezone.now())
    assert len(titles()) == 2


def test_renders_are_checked_in_the_order_they_ended(make, ended, turn, titles):
    make(direction="above", threshold=0.8)
    now = timezone.now()
    for value, minute in ((0.9, 3), (0.7, 2), (0.95, 1), (0.99, 4)):
        ended(value, at=now + timedelta(minutes=minute))
    turn()
    assert titles() == ["auc is 0.95, above 0.8: table of data, run 3", "auc is 0.9, above 0.8: table of data, run 1"]


def test_series_already_below_threshold_does_not_fire(make, ended, turn, titles):
    ended(0.5, at=timezone.now() - timedelta(minutes=5))
    made = make()
    assert made.alert.is_met
    ended(0.4)
    turn()
    assert titles() == []
    ended(0.9)
    ended(0.3)
    turn()
    assert len(titles()) == 1


@pytest.mark.parametrize(
    ("was", "value", "is_above", "met", "fires"),
    [
        (None, 0.7, False, True, True),
        (False, 0.8, False, False, False),
        (False, 0.8, True, False, False),
        (True, 0.9, True, True, False),
        (False, 0.81, True, True, True),
        (True, None, True, True, False),
    ],
)
def test_thresholds(was, value, is_above, met, fires):
    found = threshold_find(was, value, threshold=0.8, is_above=is_above)
    assert (found.is_met, found.fires) == (met, fires)


@pytest.mark.parametrize(
    ("value", "reference", "most", "is_percent", "fires"),
    [
        (0.6, 0.5, 0.05, False, True),
        (0.5, 0.5, 0.0, False, False),
        (0.5, None, 0.1, False, False),
        (110, 100, 10, True, False),
        (-111, -100, 10, True, True),
        (1e-9, 0.0, 50, True, True),
        (0.0, 0.0, 50, True, False),
    ],
)
def test_change_conditions(value, reference, most, is_percent, fires):
    found = change_find(False, value, reference, most=most, is_percent=is_percent, is_fixed=True)
    assert found.fires == fires


def test_change_from_previous_render_fires_each_time(make, ended, turn, titles):
    make(AlertEvent.FIGURE_CHANGED)
    for value in (0.9, 0.5, 0.5, 0.9, 0.95):
        ended(value)
        turn()
    assert titles() == [
        "auc changed from 0.9 to 0.5: table of data, run 2",
        "auc changed from 0.5 to 0.9: table of data, run 4",
    ]


def test_change_from_baseline_fires_once_while_it_lasts(make, ended, turn, recipe):
    baseline = ended(0.9).visualization
    Recipe.objects.filter(id=recipe.id).update(baseline=baseline)
    recipe.refresh_from_db()
    make(AlertEvent.FIGURE_CHANGED, change=10, is_percent=True)
    for value in (0.85, 0.7, 0.6, 0.88, 0.5):
        ended(value)
        turn()
    ended(0.1, visualization=baseline)
    turn()
    facts = [row.message["figure"] for row in Delivery.objects.order_by("created_at")]
    assert [(each["value"], each["reference"], each["is_baseline"]) for each in facts] == [
        (0.7, 0.9, True),
        (0.5, 0.9, True),
    ]
    assert facts[0]["delta"] == pytest.approx(-0.2)
    assert facts[0]["percent"] == pytest.approx(-22.22, abs=0.01)


def test_deleted_baseline_is_replaced_by_previous_render(make, ended, turn, recipe, titles):
    baseline = ended(0.9).visualization
    Recipe.objects.filter(id=recipe.id).update(baseline=baseline)
    recipe.refresh_from_db()
    make(AlertEvent.FIGURE_CHANGED)
    Visualization.objects.filter(id=baseline.id).update(deleted_at=timezone.now())
    ended(0.5)
    ended(0.7)
    turn()
    assert titles() == ["auc changed from 0.5 to 0.7: table of data, run 3"]


def test_alerts_on_succeeded_and_failed_renders(make, ended, turn, titles):
    make(AlertEvent.RENDER_SUCCEEDED)
    make(AlertEvent.RENDER_FAILED)
    ended()
    for state in ("failed", "timed_out", "lost", "cancelled"):
        ended(state=state, message="There is no column score.")
    ended(state="running")
    turn()
    assert sorted(titles()) == [
        "Failed: table of data, run 2",
        "Lost: table of data, run 4",
        "Succeeded: table of data, run 1",
        "Timed out: table of data, run 3",
    ]
    failed = Delivery.objects.get(message__title="Failed: table of data, run 2").message
    assert failed["render"]["message"] == "There is no column score."


def test_old_renders_and_other_series_are_ignored(make, ended, turn, titles):
    before = ended(at=timezone.now() - timedelta(hours=1))
    alert = make(AlertEvent.RENDER_SUCCEEDED).alert
    other = Recipe.objects.create(digest="d2", type_key="table")
    ended(to=other)
    turn()
    assert titles() == []
    # The reconciler was off for two days; a new render makes it check those that it missed.
    now = timezone.now()
    ended(at=now + timedelta(minutes=1))
    ended(at=now + timedelta(days=2))
    turn(now + timedelta(days=2, minutes=1))
    assert titles() == ["Succeeded: table of data, run 4"]
    assert list(AlertCheck.objects.filter(alert=alert).order_by("id").values_list("fired", flat=True)) == [False, True]
    assert not AlertCheck.objects.filter(render=before).exists()


def test_first_pass_covers_a_day_and_later_ones_minutes():
    now, scan = timezone.now(), checking.Scan()
    assert scan.since(now) == now - checking.OLDEST
    scan.complete_at = now
    assert scan.since(now + timedelta(seconds=5)) == now - checking.OVERLAP
    # The clock was set back.
    assert scan.since(now - timedelta(hours=1)) == now - timedelta(hours=1) - checking.OVERLAP
    assert scan.since(now + timedelta(days=9)) == now + timedelta(days=8)


def test_interrupted_pass_is_not_counted_as_complete(make, ended, monkeypatch):
    make(AlertEvent.RENDER_SUCCEEDED)
    ended()
    scan = checking.Scan()
    monkeypatch.setattr(checking, "LONGEST_PASS_S", -1)
    checking.alerts_pass(None, scan)
    assert (scan.complete_at, Delivery.objects.count()) == (None, 0)


def test_many_renders_are_checked_over_several_passes(make, ended, turn, monkeypatch):
    monkeypatch.setattr(checking, "MOST_RENDERS", 2)
    make(AlertEvent.RENDER_SUCCEEDED)
    for _ in range(5):
        ended()
    for _ in range(3):
        turn()
    assert Delivery.objects.count() == 5


def test_render_recorded_late_is_not_missed(make, ended, turn, titles):
    make(AlertEvent.RENDER_SUCCEEDED)
    now = timezone.now()
    ended(at=now + timedelta(minutes=14))
    turn()
    ended(at=now + timedelta(minutes=1))
    turn()
    assert len(titles()) == 2


def test_renders_that_end_during_a_pause_are_ignored(make, ended, turn, owner, titles):
    alert = make(AlertEvent.RENDER_SUCCEEDED).alert
    services.alert_change(caller(owner), alert, is_enabled=False)
    ended(at=timezone.now())
    turn()
    services.alert_change(caller(owner), alert, is_enabled=True)
    turn()
    assert titles() == []
    ended()
    turn()
    assert len(titles()) == 1


def test_changed_condition_starts_from_current_state(make, ended, turn, owner, titles):
    alert = make().alert
    ended(0.85, at=timezone.now() - timedelta(seconds=1))
    wanted = AlertDefinition(event=AlertEvent.FIGURE_CROSSED, figure="auc", direction="below", threshold=0.9)
    services.alert_change(caller(owner), alert, definition=wanted)
    assert alert.is_met
    ended(0.84)
    turn()
    assert titles() == []


class KilledError(BaseException):
    """Simulates a process that dies between two SQL statements."""


def killed_after(statements):
    left = [statements]

    def wrapper(execute, sql, params, many, context):
        left[0] -= 1
        if left[0] < 0:
            raise KilledError
        return execute(sql, params, many, context)

    return connection.execute_wrapper(wrapper)


def test_each_crossing_is_written_once_despite_random_kills(make, ended, turn, titles):
    make()
    make(AlertEvent.RENDER_SUCCEEDED)
    chance, kills = random.Random(7), 0
    for number in range(40):
        ended(0.9 if number % 4 else 0.5)
        Alert.objects.update(looked_at=None)
        try:
            with killed_after(chance.randrange(1, 30)):
                checking.alerts_pass()
        except KilledError:
            kills += 1
    turn()
    assert kills > 10
    assert len([title for title in titles() if "below" in title]) == 10
    assert len([title for title in titles() if "Succeeded" in title]) == 40
    assert Delivery.objects.count() == 50


def test_concurrent_reconcilers_write_one_message(make, ended, titles):
    alert_id = make().alert.id
    ended(0.5)
    first, second = (Alert.objects.select_related("owner", "recipe__baseline").get(id=alert_id) for _ in range(2))
    now = timezone.now()
    assert checking.alert_work(first, now) == 1
    assert checking.alert_work(second, now) == 0
    assert len(titles()) == 1


def test_reconciler_with_stale_alert_writes_nothing(make, ended, owner, titles):
    made = make().alert
    ended(0.7)
    stale = Alert.objects.select_related("owner", "recipe__baseline").get(id=made.id)
    wanted = AlertDefinition(event=AlertEvent.FIGURE_CROSSED, figure="auc", direction="below", threshold=0.1)
    services.alert_change(caller(owner), made, definition=wanted)
    assert checking.alert_work(stale, timezone.now()) == 0
    assert titles() == []


def test_pass_without_changes_writes_nothing(make, ended, turn, send):
    for _ in range(20):
        make()
    ended(0.5)
    turn()
    while send():
        pass
    scan = checking.Scan()
    checking.alerts_pass(timezone.now() + timedelta(seconds=10), scan)
    with CaptureQueriesContext(connection) as made:
        assert checking.alerts_pass(timezone.now() + timedelta(seconds=20), scan) == 0
    written = [each["sql"] for each in made if not each["sql"].startswith("SELECT")]
    assert written == []
    assert len(made) <= 12


def test_reconciler_pass_checks_alerts(make, ended, titles):
    make()
    ended(0.5)
    assert reconciliation.reconcile().parts["alerts"] >= 1
    assert len(titles()) == 1


def test_worker_render_leads_to_one_message_at_the_receiver(submit, work, kernel, owner, receiver, turn):
    kernel.outcome = {"figures": (KeyFigure(name="auc", value=0.95, unit="", better="higher"),)}
    made = submit().visualization
    work()
    made.refresh_from_db()
    crossed = AlertDefinition(event=AlertEvent.FIGURE_CROSSED, figure="auc", direction="below", threshold=0.8)
    services.alert_create(caller(owner), made.recipe, crossed, [(TargetKind.WEBHOOK, receiver.url)])
    kernel.outcome = {"figures": (KeyFigure(name="auc", value=0.5, unit="", better="higher"),)}
    render_again(caller(owner), made)
    work()
    turn()
    work()
    assert len(receiver.requests) == 1
    assert Delivery.objects.get().state == "sent"
    turn()
    work()
    assert len(receiver.requests) == 1


def test_messages_per_person_are_limited(make, ended, turn, monkeypatch):
    monkeypatch.setattr(deliveries, "MOST_PER_HOUR", 2)
    make(AlertEvent.RENDER_SUCCEEDED)
    for _ in range(4):
        ended()
    turn()
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["dropped", "dropped", "waiting", "waiting"]
    assert "2 messages an hour" in Delivery.objects.filter(state="dropped")[0].error


def test_old_deliveries_and_checks_are_deleted(make, ended, turn, send):
    make(AlertEvent.RENDER_SUCCEEDED)
    ended()
    turn()
    send()
    turn(timezone.now() + timedelta(days=31))
    assert Delivery.objects.count() == 0
    # The newest check stays, or the alert would check its render again.
    assert AlertCheck.objects.count() == 1
