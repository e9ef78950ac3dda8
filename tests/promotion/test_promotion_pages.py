"""Proposals on their pages, in the API and in the admin site."""

import json

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from apps.promotion import services
from apps.promotion.models import Proposal, Version
from apps.visualizations.models import Render
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "scores_by_label"


def text(response):
    return " ".join(BeautifulSoup(response.content, "html.parser").get_text(" ").split())


def form_of(response):
    """Returns what a browser would submit from the proposal form."""
    soup = BeautifulSoup(response.content, "html.parser").select_one("form.proposal")
    values = {each["name"]: each.get("value", "") for each in soup.select("input[name]") if each["type"] != "checkbox"}
    values |= {each["name"]: "on" for each in soup.select("input[type=checkbox]") if each.has_attr("checked")}
    # A browser ignores the line break after the tag.
    values |= {each["name"]: each.text.removeprefix("\n") for each in soup.select("textarea")}
    return values | {
        each["name"]: each.select_one("[selected]")["value"] for each in soup.select("select:has([selected])")
    }


def test_result_becomes_a_type_shown_in_the_receipt(browser, owner, reviewer, sample, submit, work):
    author, chief = browser(owner), browser(reviewer)
    new = reverse("promotion:proposal_new", args=[sample.id])
    assert new in author.get(sample.visualization.get_absolute_url()).content.decode()
    assert new not in chief.get(sample.visualization.get_absolute_url()).content.decode()
    values = form_of(author.get(new))
    assert (values["title"], values["patterns"], values["needs_source"]) == ("Scores by label", "*.csv", "on")
    assert json.loads(values["arguments"])["bins"] == {"title": "Bins", "type": "integer", "default": 30}
    assert "\n  " in values["arguments"]
    made = author.post(new, values | {"description": "How often."}, follow=True)
    assert "Draft" in text(made)
    assert "Save the draft" not in text(made)
    proposal = Proposal.objects.get()
    own = proposal.get_absolute_url()
    assert chief.get(own).status_code == 404
    assert "proposal is in review" in text(author.post(own + "propose", follow=True))
    assert "Scores by label" in text(chief.get("/proposals/"))
    page = chief.get(own)
    assert "Read all of the file." in text(page)
    soup = BeautifulSoup(page.content, "html.parser")
    assert soup.select_one("iframe")["sandbox"] == ["allow-scripts"]
    assert str(sample.id) in soup.select_one("iframe")["src"]
    assert [each["name"] for each in soup.select("fieldset[disabled] input")] == ["arguments-column", "arguments-bins"]
    answer = chief.post(own + "approve", {"version": "1", "comment": "Good."}, follow=True)
    assert "is a type now" in text(answer)
    assert KEY in [each["key"] for each in author.get("/api/v1/types").json()["items"]]
    render = submit(type_key=KEY, arguments={"column": "score"}).render
    work()
    receipt = text(author.get(render.visualization.get_absolute_url() + "?tab=receipt"))
    day = Version.objects.get().decided_at.date().isoformat()
    assert f"version 1, approved by grace on {day} , written by author" in receipt.replace(day + ",", day + " ,")
    assert "is retired" in text(chief.post(own + "retire", follow=True))
    assert "Retired" in text(author.get("/proposals/"))


def test_invalid_form_keeps_its_input(browser, owner, sample):
    path = reverse("promotion:proposal_new", args=[sample.id])
    client = browser(owner)
    values = form_of(client.get(path)) | {"description": "x"}
    wrong = [
        ({"key": "table"}, "already"),
        ({"arguments": "{"}, "valid JSON"),
        ({"arguments": "[1]"}, "object of objects"),
        ({"arguments": '{"a": {"type": "string", "pattern": "x"}}'}, "pattern"),
        ({"patterns": "*"}, "nearly every file"),
        ({"environment": "mars"}, "valid choice"),
        ({"description": ""}, "required"),
        ({"figures": '{"auc": {"better": "sideways"}}'}, "sideways"),
    ]
    for change, words in wrong:
        answer = client.post(path, values | change | {"title": "Typed by hand"})
        assert (answer.status_code, words in text(answer)) == (422, True), (change, text(answer))
        assert form_of(answer)["title"] == "Typed by hand"
    assert not Proposal.objects.exists()


def test_page_shows_difference_and_warns_about_outdated_sample(browser, owner, reviewer, approved, edit):
    edit(approved, "bins=bins)", "bins=bins, color='red')  # <script>")
    page = browser(owner).get(approved.get_absolute_url())
    html = page.content.decode()
    assert "Difference to version 1" in text(page)
    assert '<span class="line line-removed">-rows[column].hist(bins=bins)' in html
    assert "# &lt;script&gt;" in html
    assert "the sample shows what other code did" in text(page)
    assert "line-added" not in browser(reviewer).get(approved.get_absolute_url()).content.decode()


def test_edit_form_starts_with_the_newest_version(browser, owner, reviewer, approved):
    path = reverse("promotion:proposal_edit", args=[approved.id])
    assert browser(reviewer).get(path).status_code == 403
    client = browser(owner)
    values = form_of(client.get(path))
    assert values["description"] == "How often scores occur."
    assert client.post(path, values | {"title": "Second"}).status_code == 302
    assert [each.title for each in approved.versions.all()] == ["Second", "Scores by label"]


def test_refused_decision_says_why(browser, owner, reviewer, proposed):
    client, own = browser(reviewer), proposed.get_absolute_url()
    refused = client.post(own + "reject", {"version": "1", "comment": ""})
    assert (refused.status_code, "Say why" in text(refused)) == (422, True)
    late = client.post(own + "approve", {"version": "7", "comment": "typed"})
    assert (late.status_code, "is not in review" in text(late), "typed" in text(late)) == (422, True, True)
    assert client.post(own + "explode").status_code == 404
    assert browser(owner).post(own + "approve", {"version": "1"}).status_code == 403
    assert "Rejected" in text(client.post(own + "reject", {"version": "1", "comment": "No."}, follow=True))
    assert "No." in text(browser(owner).get(own))


def test_file_is_downloaded_as_text(browser, owner, member, proposed):
    path = reverse("promotion:version_file", args=[proposed.id, 1])
    answer = browser(owner).get(path)
    assert answer.content.decode() == Version.objects.get().file
    assert answer["Content-Disposition"] == f'attachment; filename="{KEY}.py"'
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("text/plain; charset=utf-8", "nosniff")
    assert browser(member).get(path).status_code == 404
    assert browser(owner).get(path.replace("/1/", "/2/")).status_code == 404


def test_only_the_owner_can_propose_a_result(browser, member, viewer, sample):
    path = reverse("promotion:proposal_new", args=[sample.id])
    for user in (member, viewer):
        assert browser(user).get(path).status_code == 403
    assert browser(member).get(path.replace(str(sample.id), str(sample.visualization_id))).status_code == 404


def test_deleted_sample_is_reported(browser, reviewer, proposed, sample):
    Render.objects.filter(pk=sample.pk).delete()
    assert "The sample was deleted." in text(browser(reviewer).get(proposed.get_absolute_url()))


def test_markup_in_titles_is_escaped(browser, owner, proposed):
    Version.objects.update(title="<script>x</script>", comment="<b>y</b>")
    for path in ("/proposals/", proposed.get_absolute_url()):
        page = browser(owner).get(path).content.decode()
        assert "<script>x" not in page
        assert "<b>y" not in page


def test_file_that_is_no_longer_valid_is_reported(browser, owner, proposed):
    Version.objects.update(file="no header")
    page = browser(owner).get(proposed.get_absolute_url())
    assert "no longer a valid type" in text(page)


def send(client, path, body=None, method="POST"):
    return client.generic(method, f"/api/v1/proposals{path}", json.dumps(body or {}), content_type="application/json")


def test_api_covers_the_life_cycle_of_a_proposal(browser, owner, reviewer, member, sample, file):
    author, chief = browser(owner), browser(reviewer)
    made = send(author, "", {"render_id": str(sample.id), "file": file})
    assert made.status_code == 201, made.content
    proposal = made.json()
    assert (proposal["author"], proposal["key"], proposal["approved"], proposal["versions"]) == (
        "author",
        "",
        None,
        [1],
    )
    assert (proposal["version"]["state"], proposal["version"]["sample_id"]) == ("draft", str(sample.id))
    own = f"/{proposal['id']}"
    assert chief.get(f"/api/v1/proposals{own}").status_code == 404
    assert send(author, own + "/withdraw").status_code == 409
    assert send(author, own + "/propose").json()["version"]["state"] == "proposed"
    assert send(author, own + "/withdraw").json()["version"]["state"] == "withdrawn"
    changed = file.replace("default = 30", "default = 50")
    saved = send(author, own + "/versions", {"file": changed, "render_id": str(sample.id)})
    assert (saved.status_code, saved.json()["versions"]) == (201, [2, 1])
    assert send(author, own + "/propose").status_code == 200
    assert [each["id"] for each in chief.get("/api/v1/proposals").json()["items"]] == [proposal["id"]]
    assert send(author, own + "/approve", {"version": 2}).status_code == 403
    assert send(chief, own + "/approve", {"version": 1}).json()["error"]["code"] == "wrong_state"
    approved = send(chief, own + "/approve", {"version": 2, "comment": "ok"}).json()
    assert (approved["key"], approved["approved"], approved["version"]["reviewer"]) == (KEY, 2, "grace")
    assert send(chief, own + "/retire").json()["retired_at"]
    assert send(chief, own + "/retire").status_code == 409
    send(author, own + "/versions", {"file": file})
    send(author, own + "/propose")
    refused = send(chief, own + "/reject", {"version": 3}).json()["error"]
    assert refused["fields"] == {"comment": "Say why."}
    assert send(chief, own + "/reject", {"version": 3, "comment": "no"}).json()["version"]["state"] == "rejected"
    assert author.get(f"/api/v1/proposals{own}?version=1").json()["version"]["state"] == "withdrawn"
    assert author.get(f"/api/v1/proposals{own}?version=9").status_code == 404
    assert browser(member).get("/api/v1/proposals").json()["items"] == []


def test_api_reports_invalid_file(browser, owner, sample):
    answer = send(browser(owner), "", {"render_id": str(sample.id)})
    # The author has to write a description.
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["file"])
    answer = send(browser(owner), "", {"render_id": str(sample.id), "file": "x = " * 100_000})
    assert answer.status_code == 400


def test_admin_site_shows_proposals_read_only(browser, reviewer, approved):
    client = browser(reviewer)
    assert KEY in text(client.get("/admin/promotion/proposal/"))
    page = client.get(f"/admin/promotion/proposal/{approved.pk}/change/")
    assert "grace" in text(page)
    assert 'name="_save"' not in page.content.decode()
    assert client.post(f"/admin/promotion/proposal/{approved.pk}/delete/", {"post": "yes"}).status_code == 403


def test_list_uses_a_fixed_number_of_queries(browser, owner, approved, sample, file, django_assert_max_num_queries):
    for number in range(5):
        services.proposal_create(caller(owner), sample, file.replace(KEY, f"other_{number}"))
    client = browser(owner)
    client.get("/proposals/")
    with django_assert_max_num_queries(9):
        client.get("/proposals/")
