"""Alerts on their pages, in the API, the command and the admin site."""

import json

import pytest
from bs4 import BeautifulSoup
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from apps.accounts.models import AuditEntry
from apps.notifications import services
from apps.notifications.models import Alert, AlertEvent, AlertTarget, Delivery, TargetKind
from apps.rules.models import Rule
from apps.visualizations.exceptions import InvalidRequestError

pytestmark = pytest.mark.django_db(transaction=True)


def text(response):
    return " ".join(BeautifulSoup(response.content, "html.parser").get_text(" ").split())


@pytest.fixture
def form(recipe, receiver, ended):
    """The path of the form and the values that a browser submits."""
    ended(0.9)
    values = {
        "title": "",
        "event": "figure_crossed",
        "figure": "auc",
        "direction": "below",
        "threshold": "0.8",
        "change": "",
        "unit": "absolute",
        "email": "",
        "webhook": receiver.url,
        "slack": "",
    }
    return reverse("notifications:alert_new", args=[recipe.id]), values


def test_alert_is_created_from_result_and_secret_shown_once(browser, owner, form, ended, recipe, turn, send):
    client, (path, values) = browser(owner), form
    for page in (ended(0.85).visualization.get_absolute_url(), f"/series/{recipe.id}/"):
        assert f'href="{path}"' in client.get(page).content.decode()
    shown = client.get(path)
    assert "E-mail is not set up on this portal" in text(shown)
    assert [each["value"] for each in BeautifulSoup(shown.content, "html.parser").select("#id_figure option")] == [
        "",
        "auc",
    ]
    made = client.post(path, values)
    assert made.status_code == 201
    assert "no-store" in made["Cache-Control"]
    alert = Alert.objects.get()
    assert "whsec_" in text(made)
    page = client.get(alert.get_absolute_url())
    assert "whsec_" not in page.content.decode()
    assert "s3cret-path" not in page.content.decode()
    assert "auc below 0.8" in text(page)
    assert "No messages yet" in text(page)
    ended(0.5)
    turn()
    send()
    page = client.get(alert.get_absolute_url())
    assert "auc is 0.5, below 0.8" in text(page)
    assert "Sent" in text(page)
    assert alert.name in text(client.get("/alerts/"))


def test_invalid_form_names_the_error(browser, owner, form):
    path, values = form
    client = browser(owner)
    wrong = client.post(path, values | {"threshold": "nan", "webhook": "http://127.0.0.1:1/"})
    assert wrong.status_code == 422
    missing = client.post(path, values | {"threshold": ""})
    assert "Give a number" in text(missing)
    inside = client.post(path, values | {"webhook": "http://10.0.0.1/"})
    assert "inside this network" in text(inside)
    nowhere = client.post(path, values | {"webhook": ""})
    assert "at least one target" in text(nowhere)
    assert not Alert.objects.exists()


def test_form_offers_email_if_configured(browser, owner, form, mail):
    path, values = form
    client = browser(owner)
    assert 'value="owner@example.com"' in client.get(path).content.decode()
    made = client.post(path, values | {"webhook": "", "email": "owner@example.com"}, follow=True)
    assert "The alert is on." in text(made)
    assert "E-mail: owner@example.com" in text(made)


def test_test_pause_resume_and_delete_on_the_page(browser, owner, make, work):
    alert, client = make().alert, browser(owner)
    base = f"/alerts/{alert.id}/"
    assert "A test is on its way to 1 target;" in text(client.post(base + "test", follow=True))
    work()
    assert "Test of the alert" in text(client.get(base))
    assert Delivery.objects.get().state == "sent"
    assert "Resume" in text(client.post(base + "pause", follow=True))
    assert "on again" in text(client.post(base + "resume", follow=True))
    assert client.post(base + "explode").status_code == 404
    assert "Deleted the alert" in text(client.post(base + "delete", follow=True))
    assert "No alerts yet" in text(client.get("/alerts/"))
    assert not AlertTarget.objects.exists()


def test_alert_actions_are_audited_without_secrets(browser, owner, make):
    alert, client = make().alert, browser(owner)
    for action in ("test", "pause", "delete"):
        client.post(f"/alerts/{alert.id}/{action}")
    entries = list(AuditEntry.objects.filter(action__startswith="alert.").order_by("id"))
    assert [each.action for each in entries] == ["alert.create", "alert.test", "alert.change", "alert.delete"]
    assert {each.username for each in entries} == {"owner"}
    assert not [each for each in entries if "s3cret-path" in each.detail]


def test_markup_in_names_is_escaped(browser, owner, make, ended, turn):
    alert = make(AlertEvent.RENDER_SUCCEEDED).alert
    render = ended()
    type(render.visualization).objects.update(title="<script>x</script>")
    turn()
    Alert.objects.update(name="<script>y</script>", problem="<b>why</b>")
    for path in ("/alerts/", f"/alerts/{alert.id}/"):
        page = browser(owner).get(path).content.decode()
        assert "<script>x" not in page
        assert "<script>y" not in page
        assert "&lt;b&gt;why" in page


def test_alert_is_hidden_from_others(browser, reader, admin, make):
    alert = make().alert
    client = browser(reader)
    assert alert.name not in text(client.get("/alerts/"))
    assert client.get(f"/alerts/{alert.id}/").status_code == 404
    assert client.post(f"/alerts/{alert.id}/delete").status_code == 404
    assert alert.name in text(browser(admin).get("/alerts/"))


def test_api_covers_the_life_cycle_of_an_alert(browser, owner, recipe, receiver, work, ended):
    client = browser(owner)
    ended()

    def call(method, path, body=None):
        content = json.dumps(body) if body is not None else ""
        return client.generic(method, f"/api/v1/alerts{path}", content, content_type="application/json")

    body = {
        "series_id": str(recipe.id),
        "title": "Nightly",
        "condition": {"event": "figure_changed", "figure": "auc", "change": 5, "percent": True},
        "targets": [{"kind": "webhook", "address": receiver.url}, {"kind": "slack", "address": receiver.url}],
    }
    made = call("POST", "", body)
    assert made.status_code == 201, made.content
    alert = made.json()
    assert (alert["title"], alert["owner"], alert["enabled"], alert["met"]) == ("Nightly", "owner", True, None)
    webhook, slack = alert["targets"]
    assert webhook["secret"].startswith("whsec_")
    assert slack["secret"] is None
    own = f"/{alert['id']}"
    assert [each["secret"] for each in call("GET", own).json()["targets"]] == [None, None]
    assert call("POST", f"{own}/test", {}).json() == {"sent": 2}
    work()
    sent = call("GET", f"{own}/deliveries").json()["items"]
    assert [(each["state"], each["test"], each["status_code"]) for each in sent] == [("sent", True, 200)] * 2
    condition = {"event": "figure_crossed", "figure": "auc", "direction": "above", "threshold": 2}
    changed = call("PATCH", own, {"enabled": False, "title": "Weekly", "condition": condition}).json()
    assert (changed["enabled"], changed["title"]) == (False, "Weekly")
    assert changed["condition"] == {**condition, "change": None, "percent": False}
    assert [each["id"] for each in call("GET", "").json()["items"]] == [alert["id"]]
    assert call("DELETE", own).status_code == 204
    assert call("GET", own).status_code == 404


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"condition": {"event": "figure_crossed", "direction": "below", "threshold": 1}}, "figure"),
        ({"condition": {"event": "figure_crossed", "figure": "a", "direction": "over", "threshold": 1}}, "direction"),
        ({"condition": {"event": "figure_crossed", "figure": "a", "direction": "below"}}, "threshold"),
        ({"condition": {"event": "figure_changed", "figure": "a", "change": -1}}, "change"),
        ({"condition": {"event": "rule_failed"}}, "rule"),
        ({"targets": []}, "targets"),
        ({"targets": [{"kind": "webhook", "address": "http://10.0.0.1/"}]}, "webhook"),
        ({"targets": [{"kind": "email", "address": "all@elsewhere.org"}]}, "email"),
        ({"title": "x" * 201}, "title"),
    ],
)
def test_api_names_the_invalid_field(browser, owner, recipe, receiver, ended, changes, named):
    ended()
    body = {
        "series_id": str(recipe.id),
        "condition": {"event": "render_failed"},
        "targets": [{"kind": "webhook", "address": receiver.url}],
        **changes,
    }
    answer = browser(owner).post("/api/v1/alerts", json.dumps(body), content_type="application/json")
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [named])


def test_command_lists_tests_pauses_and_resumes(make, ended, capsys, queue):
    alert = make().alert
    call_command("alerts", "list")
    assert f"{alert.id}  on      owner  auc below 0.8  Webhook to http://127.0.0.1" in capsys.readouterr().out
    call_command("alerts", "test", str(alert.id))
    assert "1 targets" in capsys.readouterr().out
    call_command("alerts", "pause", str(alert.id))
    ended(0.5)
    call_command("alerts", "run")
    assert "0 messages" in capsys.readouterr().out
    call_command("alerts", "resume", str(alert.id))
    alert.refresh_from_db()
    assert alert.is_enabled
    for wrong in ("x", "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(CommandError, match="no such alert"):
            call_command("alerts", "pause", wrong)


def test_admin_site_pauses_and_deletes_alerts(browser, admin, make):
    alert, client = make().alert, browser(admin)
    chosen = {"_selected_action": str(alert.id)}
    client.post("/admin/notifications/alert/", {"action": "pause", **chosen})
    alert.refresh_from_db()
    assert not alert.is_enabled
    client.post("/admin/notifications/alert/", {"action": "delete_selected", "post": "yes", **chosen})
    assert not Alert.objects.exists()


def test_admin_site_shows_no_secrets(browser, admin, make, turn, ended):
    made = make()
    ended(0.5)
    turn()
    [secret] = made.secrets.values()
    delivery = Delivery.objects.get()
    for path in (f"alert/{made.alert.id}/change/", f"delivery/{delivery.id}/change/", "delivery/"):
        page = browser(admin).get(f"/admin/notifications/{path}").content.decode()
        assert secret not in page
        assert "s3cret-path" not in page


def test_pages_use_a_fixed_number_of_queries(browser, owner, make, ended, turn, django_assert_max_num_queries):
    for _ in range(6):
        alert = make(AlertEvent.RENDER_SUCCEEDED).alert
    for _ in range(5):
        ended()
    turn()
    client = browser(owner)
    for path in ("/alerts/", f"/alerts/{alert.id}/"):
        client.get(path)
        with django_assert_max_num_queries(10):
            client.get(path)


def test_alerts_per_person_are_limited(make, monkeypatch):
    monkeypatch.setattr(services, "MOST_ALERTS", 1)
    make()
    with pytest.raises(InvalidRequestError, match="already have 1 alerts"):
        make()


def test_rule_of_another_series_is_refused(make, recipe, owner):
    from django.utils import timezone

    from apps.visualizations.models import Recipe

    other = Recipe.objects.create(digest="d2", type_key="table")
    rule = Rule.objects.create(name="x", owner=owner, recipe=other, cursor=timezone.now())
    alert = make(AlertEvent.RULE_PAUSED, rule=rule).alert
    assert alert.recipe == other
    from apps.notifications.definitions import AlertDefinition, definition_check

    with pytest.raises(InvalidRequestError, match="another series"):
        definition_check(AlertDefinition(event=AlertEvent.RULE_PAUSED), rule, recipe)


NOWHERE = "00000000-0000-4000-8000-000000000000"
OPERATIONS = {
    ("GET", "", "400 401"): "?page_size=0",
    ("POST", "", "400 401 404"): json.dumps(
        {"series_id": NOWHERE, "condition": {"event": "render_failed"}, "targets": []}
    ),
    ("GET", f"/{NOWHERE}", "401 404"): "",
    ("PATCH", f"/{NOWHERE}", "400 401 404"): "{}",
    ("DELETE", f"/{NOWHERE}", "401 404"): "",
    ("POST", f"/{NOWHERE}/test", "401 404"): "{}",
    ("GET", f"/{NOWHERE}/deliveries", "400 401"): "?page_size=0",
}


@pytest.mark.parametrize(("method", "path", "codes"), OPERATIONS)
def test_alert_operation_returns_the_documented_error_codes(method, path, codes, browser, owner):
    body = OPERATIONS[method, path, codes]
    query, body = (body, "") if body.startswith("?") else ("", body)
    kind = "application/json"
    found = {Client().generic(method, f"/api/v1/alerts{path}{query}", body, content_type=kind).status_code}
    client = browser(owner)
    found.add(client.generic(method, f"/api/v1/alerts{path}{query}", body, content_type=kind).status_code)
    if "400" in codes and body:
        found.add(client.generic(method, f"/api/v1/alerts{path}", "[]", content_type=kind).status_code)
    assert found == set(map(int, codes.split()))


def test_target_kind_values_are_stable():
    assert [each.value for each in TargetKind] == ["email", "webhook", "slack"]


def test_recovery_messages_are_set_in_form_page_and_api(browser, owner, form, make):
    client, (path, values) = browser(owner), form
    client.post(path, values | {"recovery": "on"})
    quiet = client.post(path, values)
    assert quiet.status_code == 201
    assert sorted(Alert.objects.values_list("sends_recovery", flat=True)) == [False, True]
    alert = Alert.objects.get(sends_recovery=True)
    assert "a message follows Send none" in text(client.get(alert.get_absolute_url()))
    client.post(reverse("notifications:alert_action", args=[alert.id, "no-recovery"]))
    assert "nothing is sent Send one" in text(client.get(alert.get_absolute_url()))
    body = json.dumps({"recovery": True})
    changed = client.patch(f"/api/v1/alerts/{alert.id}", body, content_type="application/json")
    assert changed.json()["recovery"] is True
    finished = make(AlertEvent.RENDER_SUCCEEDED).alert
    assert "When it is over" not in text(client.get(finished.get_absolute_url()))
