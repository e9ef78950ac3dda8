"""Reports on their pages, in the API, the command and the admin site."""

import html
import json
import re

import pytest
from bs4 import BeautifulSoup
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from apps.reports import offline, services
from apps.reports.models import Report, ReportVersion
from tests.callers import caller, token_of
from tests.reports.conftest import PAGE

pytestmark = pytest.mark.django_db(transaction=True)


def soup(response):
    return BeautifulSoup(response.content, "html.parser")


def text(response):
    return " ".join(soup(response).get_text(" ").split())


def typed(response):
    """Returns what a browser without scripts would submit from the form."""
    form = soup(response).find("form", id="report-form")
    fields = {}
    for each in form.find_all(["input", "textarea", "select"]):
        if each.name == "input" and each.get("type") in {"checkbox", "radio"} and not each.has_attr("checked"):
            continue
        value = each.find("option").get("value") if each.name == "select" else each.get("value", each.get_text())
        fields.setdefault(each["name"], []).append(value.removeprefix("\n"))
    return fields


def press(client, path, response, action, **changes):
    return client.post(path, typed(response) | changes | {"action": action})


def test_report_is_written_without_scripts(browser, owner, saved):
    curve, table = saved("Curve"), saved("Table")
    client, path = browser(owner), "/reports/new/"
    page = client.get(path)
    page = press(client, path, page, "find", title="Weekly", q="curve")
    assert [each["value"] for each in soup(page).select("[name=pick]")] == [str(curve.id)]
    page = press(client, path, page, "pick", pick=[str(curve.id), str(table.id)], **{"as": "visualization"})
    page = press(client, path, page, "text-2", caption=["", "Up is good", ""])
    fields = typed(page)
    assert (fields["kind"], fields["title"]) == (["text", "visualization", "visualization", "text"], ["Weekly"])
    assert soup(page).find(attrs={"autofocus": True})["id"] == "b-3"
    page = press(client, path, page, "up-3", text=["# Hello", "", "", "The end"])
    page = press(client, path, page, "down-2")
    page = press(client, path, page, "remove-2")
    made = press(client, path, page, "save")
    report = Report.objects.get()
    assert made["Location"] == report.get_absolute_url()
    kinds = [(each.kind, each.text, each.caption) for each in report.versions.get().blocks.all()]
    assert kinds == [("text", "# Hello", ""), ("visualization", "", "Up is good"), ("text", "The end", "")]
    shown = client.get(report.get_absolute_url())
    assert soup(shown).select_one(".report h2").get_text() == "Hello"
    frame = soup(shown).find("iframe")
    assert (frame["sandbox"], frame["loading"], frame["title"]) == (["allow-scripts"], "lazy", "Curve")
    assert frame["src"] == f"/renders/{curve.latest_id}/content?libraries=parent"


def test_invalid_form_keeps_its_input(browser, owner):
    client = browser(owner)
    page = client.get("/reports/new/")
    wrong = press(client, "/reports/new/", page, "save", title="", text=["much work"])
    assert wrong.status_code == 422
    assert "The title must have 1 to 200 characters." in text(wrong)
    assert typed(wrong)["text"] == ["much work"]


def test_second_editor_is_told_and_keeps_the_input(browser, owner, admin, write):
    report = write("one")
    path = f"/reports/{report.id}/edit/"
    client = browser(owner)
    mine = client.get(path)
    theirs = browser(admin)
    press(theirs, path, theirs.get(path), "save", text=["theirs"])
    told = press(client, path, mine, "save", text=["mine"], title="Mine")
    assert told.status_code == 409
    assert "admin saved version 2 while you were writing" in text(told)
    assert (typed(told)["text"], typed(told)["title"]) == (["mine"], ["Mine"])
    assert press(client, path, told, "save").status_code == 409
    press(client, path, told, "save-2")
    report.refresh_from_db()
    assert (report.number, report.title) == (3, "Mine")
    assert "theirs" in text(client.get(f"/reports/{report.id}/versions/2/"))


def test_form_names_deleted_result(browser, owner, saved, write):
    curve = saved("Curve of taxis")
    report = write(curve)
    curve.delete()
    path = f"/reports/{report.id}/edit/"
    assert "The result “Curve of taxis” was here." in text(browser(owner).get(path))


def test_model_card_and_reports_from_the_gallery(browser, owner, saved, write):
    curve, table = saved("Curve"), saved("Table")
    client = browser(owner)
    card = client.get(f"/reports/new/?template=model-card&v={curve.id}")
    assert typed(card)["kind"] == ["text"] * 4 + ["render"] + ["text"] * 2
    ticked = {"action": "report", "visualization": [str(curve.id), str(table.id)]}
    asked = client.post("/visualizations/selection", ticked)
    assert asked["Location"] == f"/reports/add/?v={curve.id}&v={table.id}"
    existing = write("one")
    page = client.get(asked["Location"])
    assert existing.title in text(page)
    chosen = {"v": [str(curve.id), str(table.id)]}
    assert "/reports/new/?v=" in client.post("/reports/add/", chosen | {"report": "new"})["Location"]
    assert "template=model-card" in client.post("/reports/add/", chosen | {"report": "model-card"})["Location"]
    client.post("/reports/add/", chosen | {"report": str(existing.id), "as": "visualization"})
    existing.refresh_from_db()
    kinds = [each.kind for each in existing.versions.get(number=2).blocks.all()]
    assert kinds == ["text", "visualization", "visualization"]
    assert client.post("/reports/add/", chosen | {"report": "nonsense"}).status_code == 404
    of_series = chosen | {"report": str(existing.id), "as": "series"}
    assert "no series" in text(client.post("/reports/add/", of_series, follow=True))
    assert "1 of those chosen is left out" in text(client.get(f"/reports/add/?v={curve.id}&v=nonsense"))


def test_versions_restore_delete_and_undo(browser, owner, reader, write):
    report = write("first text")
    services.report_save(caller(owner), report, 1, "Second", [])
    client, base = browser(owner), f"/reports/{report.id}/"
    assert "Version 1" in text(client.get(base + "versions/"))
    assert "Go to the newest" in text(client.get(base + "versions/1/"))
    assert client.get(base + "versions/9/").status_code == 404
    assert "first text" in text(client.post(base + "versions/1/restore", follow=True))
    assert client.post(base + "versions/9/restore").status_code == 404
    other = browser(reader)
    for path in ("edit/", "delete", "versions/1/restore"):
        assert (other.get if path == "edit/" else other.post)(base + path).status_code == 404
    assert "Deleted: Weekly" in text(client.post(base + "delete", follow=True))
    assert client.get(base).status_code == 404
    assert "Restored: Weekly" in text(client.post("/reports/undelete", follow=True))
    assert "nothing to restore" in text(client.post("/reports/undelete", follow=True))


def test_markdown_is_sanitized(browser, reader, write):
    report = write("<script>x()</script>\n\n<img src=//evil>\n\n[a](javascript:x) <a href='javascript:y'>c</a> **b**")
    page = soup(browser(reader).get(report.get_absolute_url())).select_one(".report")
    assert not page.find_all(["script", "img"])
    assert not page.find("a", href=lambda address: address and "javascript" in address)
    assert page.find("strong").get_text() == "b"


def test_print_view_has_pictures_instead_of_frames(browser, reader, saved, write):
    curve = saved()
    response = browser(reader).get(f"{write(curve).get_absolute_url()}?print=yes")
    assert soup(response).select_one("img[data-picture]")["src"] == f"/renders/{curve.latest_id}/picture.svg"
    assert "<template data-frame>" in response.content.decode()


def downloaded(response):
    return b"".join(response.streaming_content)


def test_downloaded_file_has_results_in_sandboxed_frames(browser, reader, saved, write):
    report = write("# Hello <b>you</b>", saved('Curve "A" <b>', figures={"auc": 0.91}), title="A & B")
    response = browser(reader).get(f"/reports/{report.id}/download.html")
    content = downloaded(response).decode()
    assert response["Content-Disposition"] == 'attachment; filename="A-B-1.html"'
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    [frame] = re.findall(r'<iframe sandbox="allow-scripts" loading="lazy" title="([^"]*)" srcdoc="([^"]*)">', content)
    assert html.unescape(frame[1]) == PAGE
    assert html.unescape(frame[0]) == 'Curve "A" <b>'
    assert f'http-equiv="Content-Security-Policy" content="{html.escape(offline.POLICY)}"' in content
    assert "0.91" in content
    outside = content.replace(frame[1], "")
    assert "src=" not in outside
    assert "href=" not in outside


def test_downloaded_file_reports_omitted_results(browser, reader, saved, write, monkeypatch):
    small, gone, large = saved("Small"), saved("Gone"), saved("Large", html=PAGE + "x" * 5000)
    report = write(small, gone, large)
    default_storage.delete(gone.latest.html.name)
    monkeypatch.setattr(offline, "MOST_BYTES", 3000)
    content = downloaded(browser(reader).get(f"/reports/{report.id}/download.html")).decode()
    assert content.count("<iframe") == 1
    assert "the stored result cannot be read" in content
    assert "Left out: with this result the file would be larger than" in content


def send(client, method, path="", body=None, **headers):
    body = json.dumps(body) if body is not None else ""
    return client.generic(method, f"/api/v1/reports{path}", body, content_type="application/json", headers=headers)


def test_api_covers_the_life_cycle_of_a_report(browser, owner, saved):
    curve, client = saved("Curve"), browser(owner)
    body = {"title": "Weekly", "blocks": [{"text": "# Hi"}], "visualization_ids": [str(curve.id)]}
    made = send(client, "POST", "", body)
    assert made.status_code == 201, made.content
    report = made.json()
    assert [each["kind"] for each in report["blocks"]] == ["text", "render"]
    assert report["blocks"][1]["render_id"] == str(curve.latest_id)
    own = f"/{report['id']}"
    changed = send(client, "PATCH", own, {"number": 1, "title": "New title"}).json()
    assert (changed["number"], changed["title"], len(changed["blocks"])) == (2, "New title", 2)
    late = send(client, "PATCH", own, {"number": 1, "blocks": []})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "wrong_state")
    assert send(client, "PATCH", own, {"number": 2, "blocks": [{"text": "x"}]}).json()["number"] == 3
    assert [each["number"] for each in send(client, "GET", f"{own}/versions").json()["items"]] == [3, 2, 1]
    assert send(client, "POST", f"{own}/restore", {"number": 1}).json()["title"] == "Weekly"
    assert send(client, "GET", f"{own}?number=3").json()["blocks"][0]["text"] == "x"
    assert [each["id"] for each in send(client, "GET").json()["items"]] == [report["id"]]
    script = {"Authorization": f"Bearer {token_of(owner)}"}
    assert b"srcdoc" in downloaded(Client().get(report["download_url"], headers=script))
    assert send(client, "DELETE", own).status_code == 204
    assert send(client, "GET", own).status_code == 404


def test_api_names_the_invalid_block(browser, owner):
    block = {"kind": "render", "id": "00000000-0000-4000-8000-000000000000"}
    answer = send(browser(owner), "POST", "", {"title": "x", "blocks": [{"text": "a"}, block]})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["blocks.1.id"])


NOWHERE = "/00000000-0000-4000-8000-000000000000"
OPERATIONS = [
    ("GET", "?page_size=0", None, "400 401"),
    ("POST", "", {"title": ""}, "400 401"),
    ("POST", "", {"title": "x", "visualization_ids": [NOWHERE[1:]]}, "401 404"),
    ("GET", NOWHERE, None, "401 404"),
    ("PATCH", NOWHERE, {"number": 1}, "401 404"),
    ("PATCH", NOWHERE, {}, "400 401"),
    ("DELETE", NOWHERE, None, "401 404"),
    ("GET", f"{NOWHERE}/versions", None, "401 404"),
    ("GET", f"{NOWHERE}/versions?page_size=0", None, "400 401"),
    ("POST", f"{NOWHERE}/restore", {"number": 1}, "401 404"),
    ("POST", f"{NOWHERE}/restore", {}, "400 401"),
]


@pytest.mark.parametrize(("method", "path", "body", "codes"), OPERATIONS)
def test_report_operation_returns_the_documented_error_codes(method, path, body, codes, browser, owner):
    found = {send(each, method, path, body).status_code for each in (Client(), browser(owner))}
    assert found == set(map(int, codes.split()))


def test_command_creates_lists_and_exports(owner, saved, capsys, tmp_path):
    curve = saved("Curve")
    call_command("reports", "create", str(curve.id), "--title", "By command", "--user", "owner", "--model-card")
    report = Report.objects.get()
    assert (report.owner, ReportVersion.objects.get().blocks.count()) == (owner, 7)
    call_command("reports", "list")
    assert f"{report.id}  owner  version 1  By command" in capsys.readouterr().out
    file = tmp_path / "report.html"
    call_command("reports", "export", str(report.id), str(file))
    assert "srcdoc=" in file.read_text()
    for wrong in (
        ("export", "nonsense", str(file)),
        ("create", str(curve.id), "--title", "x", "--user", "nobody"),
        ("create", "nonsense", "--title", "x", "--user", "owner"),
    ):
        with pytest.raises(CommandError):
            call_command("reports", *wrong)


def test_admin_site_deletes_reports(browser, admin, write):
    report = write("one")
    chosen = {"_selected_action": str(report.id), "action": "delete_selected", "post": "yes"}
    assert report.title in text(browser(admin).get("/admin/reports/report/"))
    browser(admin).post("/admin/reports/report/", chosen)
    report.refresh_from_db()
    assert report.deleted_at
