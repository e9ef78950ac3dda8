"""Rules on their pages, in the API, the command and the admin site."""

import pytest
from bs4 import BeautifulSoup
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from apps.rules.models import Rule, RuleRun
from apps.visualizations.models import Visualization

pytestmark = pytest.mark.django_db(transaction=True)


def text(response):
    return " ".join(BeautifulSoup(response.content, "html.parser").get_text(" ").split())


@pytest.fixture
def form(recipe):
    """The path of the form and the values that a browser submits."""
    path = reverse("rules:rule_new", args=[recipe.id])
    return path, {"title": "", "pipeline": "tips", "run": "", "experiment": "", "tag": "", "state": "succeeded"}


def test_rule_is_created_from_a_result_after_a_dry_run(browser, owner, form, add_run, turn, work):
    for _ in range(3):
        add_run()
    client = browser(owner)
    page = client.get(Visualization.objects.get().get_absolute_url())
    path, values = form
    assert path in page.content.decode()
    assert "table" in text(client.get(path))
    tried = client.post(path, values | {"last": "2", "action": "try"})
    assert "Dry run: 2 runs match" in text(tried)
    assert "run r4" in text(tried)
    assert not Rule.objects.exists()
    made = client.post(path, values | {"last": "2", "action": "create"}, follow=True)
    assert "The rule was created." in text(made)
    assert "0 of 2 done" in text(made)
    turn()
    work()
    turn()
    shown = client.get(Rule.objects.get().get_absolute_url())
    assert "2 of 2 done" in text(shown)
    assert "Table of data, run r4" in text(shown)
    assert "table of data, tips" in text(client.get("/rules/"))


def test_invalid_form_names_the_errors(browser, owner, form):
    path, values = form
    wrong = browser(owner).post(path, values | {"last": "9999", "state": "running", "action": "create"})
    assert wrong.status_code == 422
    assert "less than or equal to 1000" in text(wrong)
    assert "not one of the available choices" in text(wrong)
    assert not Rule.objects.exists()


def test_pause_apply_cancel_and_delete_on_the_page(browser, owner, make, add_run):
    rule, client = make(), browser(owner)
    add_run()
    base = f"/rules/{rule.id}/"
    assert "Resume" in text(client.post(base + "pause", follow=True))
    assert "Dry run: 2 runs match" in text(client.post(base + "apply", {"last": "5", "action": "try"}))
    assert "2 runs will be rendered" in text(client.post(base + "apply", {"last": "5", "action": "apply"}, follow=True))
    assert "Cancelled for 2 runs" in text(client.post(base + "cancel", follow=True))
    assert "is on again" in text(client.post(base + "resume", follow=True))
    assert client.post(base + "apply", {"last": "x"}).status_code == 422
    assert client.post(base + "explode").status_code == 404
    assert "Deleted the rule" in text(client.post(base + "delete", follow=True))
    assert "No rules yet" in text(client.get("/rules/"))


def test_markup_in_names_is_escaped(browser, owner, make):
    rule = make()
    Rule.objects.filter(id=rule.id).update(name="<script>x</script>", paused_because="<b>why</b>", is_enabled=False)
    page = browser(owner).get(f"/rules/{rule.id}/").content.decode()
    assert "<script>x" not in page
    assert "&lt;b&gt;why" in page


def test_api_covers_the_life_cycle_of_a_rule(browser, owner, recipe, add_run, turn):
    for _ in range(4):
        add_run()
    client = browser(owner)

    def send(method, path, body=None):
        return client.generic(method, f"/api/v1/rules{path}", body or "", content_type="application/json")

    made = send("POST", "", f'{{"series_id": "{recipe.id}", "title": "Nightly", "most_failures": 2}}')
    assert made.status_code == 201, made.content
    rule = made.json()
    assert (rule["title"], rule["conditions"]["pipeline"], rule["owner"]) == ("Nightly", "tips", "owner")
    own = f"/{rule['id']}"
    tried = send("POST", f"{own}/apply", '{"last": 3, "dry_run": true}').json()
    assert [each["id"] for each in tried["items"]] == ["r5", "r4", "r3"]
    assert (tried["added"], tried["rendered"], tried["complete"]) == (0, 0, False)
    assert send("POST", f"{own}/apply", '{"last": 3}').json()["added"] == 3
    assert send("POST", f"{own}/apply", '{"last": 3}').json()["rendered"] == 3
    assert send("GET", own).json()["runs"] == {"pending": 3}
    assert send("POST", f"{own}/cancel", "{}").json()["runs"] == {"cancelled": 3}
    changed = send("PATCH", own, '{"enabled": false, "title": "Weekly", "most_waiting": 4}').json()
    assert (changed["enabled"], changed["title"], changed["most_waiting"]) == (False, "Weekly", 4)
    assert [each["id"] for each in send("GET", "").json()["items"]] == [rule["id"]]
    assert send("DELETE", own).status_code == 204
    assert send("GET", own).status_code == 404


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ('"conditions": {"state": "exploded"}', "conditions.state"),
        ('"conditions": {"state": "running"}', "state"),
        ('"most_waiting": 0', "most_waiting"),
    ],
)
def test_api_names_the_invalid_field(browser, owner, recipe, changes, named):
    body = f'{{"series_id": "{recipe.id}", {changes}}}'
    answer = browser(owner).generic("POST", "/api/v1/rules", body, content_type="application/json")
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [named])


def test_command_lists_applies_pauses_and_cancels(make, add_run, owner, capsys, turn):
    rule = make()
    add_run()
    call_command("rules", "list")
    assert f"{rule.id}  on " in capsys.readouterr().out
    call_command("rules", "dry-run", str(rule.id), "--last", "5")
    assert "2 match, 0 of them rendered already." in capsys.readouterr().out
    call_command("rules", "apply", str(rule.id), "--last", "5")
    assert "2 runs" in capsys.readouterr().out
    call_command("rules", "pause", str(rule.id))
    call_command("rules", "run")
    assert "0 runs" in capsys.readouterr().out
    call_command("rules", "cancel", str(rule.id))
    call_command("rules", "resume", str(rule.id))
    rule.refresh_from_db()
    assert rule.is_enabled
    assert set(RuleRun.objects.values_list("state", flat=True)) == {"cancelled"}
    for wrong in ("x", "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(CommandError, match="no such rule"):
            call_command("rules", "pause", wrong)
    with pytest.raises(CommandError, match="1 to 1000"):
        call_command("rules", "apply", str(rule.id), "--last", "0")


def test_admin_site_pauses_and_deletes_rules(browser, admin, make):
    rule, client = make(), browser(admin)
    chosen = {"_selected_action": str(rule.id)}
    client.post("/admin/rules/rule/", {"action": "pause", **chosen})
    rule.refresh_from_db()
    assert not rule.is_enabled
    client.post("/admin/rules/rule/", {"action": "delete_selected", "post": "yes", **chosen})
    assert not Rule.objects.exists()


def test_list_uses_a_fixed_number_of_queries(browser, owner, make, django_assert_max_num_queries):
    for _ in range(6):
        make()
    client = browser(owner)
    client.get("/rules/")
    with django_assert_max_num_queries(8):
        client.get("/rules/")


NOWHERE = "00000000-0000-4000-8000-000000000000"
OPERATIONS = {
    ("GET", "", "400 401"): "?page_size=0",
    ("POST", "", "400 401 404"): f'{{"series_id": "{NOWHERE}"}}',
    ("GET", f"/{NOWHERE}", "401 404"): "",
    ("PATCH", f"/{NOWHERE}", "400 401 404"): "{}",
    ("DELETE", f"/{NOWHERE}", "401 404"): "",
    ("POST", f"/{NOWHERE}/apply", "400 401 404"): '{"last": 1}',
    ("POST", f"/{NOWHERE}/cancel", "401 404"): "{}",
}


@pytest.mark.parametrize(("method", "path", "codes"), OPERATIONS)
def test_rule_operation_returns_the_documented_error_codes(method, path, codes, browser, owner):
    body = OPERATIONS[method, path, codes]
    query, body = (body, "") if body.startswith("?") else ("", body)
    kind = "application/json"
    found = {Client().generic(method, f"/api/v1/rules{path}{query}", body, content_type=kind).status_code}
    client = browser(owner)
    found.add(client.generic(method, f"/api/v1/rules{path}{query}", body, content_type=kind).status_code)
    if "400" in codes and body:
        found.add(client.generic(method, f"/api/v1/rules{path}", "[]", content_type=kind).status_code)
    assert found == set(map(int, codes.split()))
