"""Links on their pages, in the API, in the admin site and on the results origin: what a visitor gets."""

import json
import logging
import uuid
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone

from apps.sharing import services
from apps.sharing.models import Share
from apps.telemetry.logs import JsonFormatter, LineFormatter
from apps.telemetry.redaction import redact
from tests.callers import caller
from tests.reports.conftest import PAGE

pytestmark = pytest.mark.django_db(transaction=True)
FRAME = {"Sec-Fetch-Dest": "iframe"}
ORIGIN = "https://results.test:8443"
NO_TOKEN = "A" * 43


def body(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


def soup(response):
    return BeautifulSoup(response.content, "html.parser")


def text(response):
    return " ".join(soup(response).get_text(" ").split())


def policy(response):
    parts = [each.strip().partition(" ") for each in response["Content-Security-Policy"].split(";")]
    return {name: value for name, _, value in parts}


def test_visitor_sees_the_result_and_nothing_of_the_portal(anonymous, saved, share):
    curve = saved("Curve <b>", figures={"auc": 0.91})
    link, holder = share(curve), Client()
    page = holder.get(link)
    assert text(page) == "Curve <b> Curve <b> auc 0.91"
    assert not soup(page).find_all(["nav", "header", "a", "form"])
    frame = soup(page).find("iframe")
    assert (frame["sandbox"], frame["src"]) == (["allow-scripts"], f"{link}content?libraries=parent")
    content = holder.get(f"{link}content", headers=FRAME)
    assert body(content) == PAGE.encode()
    assert policy(content)["sandbox"] == "allow-scripts"
    assert policy(content)["default-src"] == "'none'"
    assert policy(content)["frame-ancestors"] == "http://testserver"
    assert holder.get(f"{link}picture.svg").status_code in {200, 404}
    for response in (page, content, holder.get(f"{link}picture.svg"), holder.get(f"/s/{NO_TOKEN}/")):
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["X-Robots-Tag"] == "noindex, nofollow"
        assert response["Cache-Control"] == "private, no-store"
    # A direct visit to the content redirects to the page.
    led = holder.get(f"{link}content", headers={"Sec-Fetch-Dest": "document"})
    assert (led.status_code, led["Location"]) == (302, link)


def test_only_allowed_origins_may_embed_the_result(anonymous, saved, share):
    curve, holder = saved(), Client()
    alone = holder.get(share(curve))
    assert policy(alone)["frame-ancestors"] == "'self'"
    link = share(curve, origins=["https://Wiki.example.com/", "http://localhost:9000"])
    page, content = holder.get(link), holder.get(f"{link}content", headers=FRAME)
    assert policy(page)["frame-ancestors"] == "'self' https://wiki.example.com http://localhost:9000"
    assert policy(content)["frame-ancestors"] == "http://testserver https://wiki.example.com http://localhost:9000"
    assert "X-Frame-Options" not in page
    assert "X-Frame-Options" not in content
    assert policy(page)["script-src"] == "'self'"


def test_all_invalid_links_return_the_same_404(anonymous, saved, share, owner):
    curve = saved()
    revoked, expired = share(curve), share(curve)
    newest, older = Share.objects.order_by("-created_at")
    Share.objects.filter(id=older.id).update(revoked_at=timezone.now())
    Share.objects.filter(id=newest.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    answers = set()
    for link in (revoked, expired, f"/s/{NO_TOKEN}/", "/s/x/"):
        for path in ("", "content", "picture.svg", "picture.png", "0/content", "0/picture.svg"):
            for headers in ({}, FRAME):
                response = Client().get(link + path, headers=headers)
                answers.add((response.status_code, response.content, bool(headers)))
    assert {status for status, _, _ in answers} == {404}
    assert len(answers) == 2


def test_link_gives_no_access_to_other_results(anonymous, saved, share, write):
    curve, other = saved("Curve"), saved("Other")
    report = write("Text", curve)
    holder = Client()
    for link in (share(curve), share(curve.latest), share(report)):
        ids = (other.id, other.latest_id, curve.id, curve.latest_id, report.id, uuid.uuid4())
        tries = [f"{each}{end}" for each in ids for end in ("", "/", "/content", "/picture.svg", "/download.html")]
        tries += [f"{position}/content" for position in (2, 3, 99, 10**30)]
        tries += ["../renders/", "download.html", "download.ipynb", "edit/", "versions/1/", "log"]
        tries += [f"content?render={other.latest_id}&v={other.id}&position=5"]
        for each in tries:
            response = holder.get(link + each, headers=FRAME)
            assert b"Other" not in body(response)
            assert response.status_code in {404, 401, 302} or "content?" in each, each
    # The portal itself is not accessible either.
    one = f"/renders/{curve.latest_id}/"
    paths = [curve.get_absolute_url(), report.get_absolute_url(), f"{report.get_absolute_url()}download.html"]
    paths += [f"{one}{part}" for part in ("content", "fragment", "picture.svg", "download.html", "download.ipynb")]
    paths += [f"/events/?render={curve.latest_id}", f"/api/v1/renders/{curve.latest_id}", "/api/v1/shares", "/shares/"]
    for path in paths:
        assert holder.get(path).status_code in {302, 401}, path


def test_each_block_of_a_report_has_its_own_url(anonymous, saved, share, write):
    report = write("# Hello", saved("Curve"), saved("Table"), title="Weekly")
    link, holder = share(report), Client()
    page = holder.get(link)
    assert [each["src"] for each in soup(page).find_all("iframe")] == [
        f"{link}1/content?libraries=parent",
        f"{link}2/content?libraries=parent",
    ]
    assert "Hello" in text(page)
    assert body(holder.get(f"{link}1/content", headers=FRAME)) == PAGE.encode()
    for position in ("0/", "3/", ""):
        assert holder.get(f"{link}{position}content", headers=FRAME).status_code == 404
    single = share(saved())
    assert holder.get(f"{single}0/content", headers=FRAME).status_code == 404


def test_non_anonymous_link_requires_sign_in_and_permission(saved, share, write, browser, reader, settings):
    curve = saved()
    for target in (curve, curve.latest, write("Text", curve)):
        link = share(target)
        for path in ("", "content"):
            response = Client().get(link + path)
            assert response.status_code in {302, 401}
            assert response["Referrer-Policy"] == "no-referrer"
        # Anonymous visitors do not learn whether a link exists.
        assert Client().get(f"/s/{NO_TOKEN}/").status_code == 302
        page = browser(reader).get(link)
        assert page.status_code == 200
        assert not soup(page).find_all("meta", property=True)
    settings.VIZPORTAL_DEFAULT_ROLE = "none"
    assert browser(reader).get(link).status_code == 403


def test_preview_tags_of_anonymous_links(anonymous, saved, share, write):
    page = soup(Client().get(share(saved("A & B"))))
    tags = {each["property"]: each["content"] for each in page.find_all("meta", property=True)}
    assert tags["og:title"] == "A & B"
    assert tags["og:image"].startswith("http://testserver/s/")
    assert tags["og:image"].endswith("/picture.png")
    report = soup(Client().get(share(write("Text", saved()))))
    assert report.find("meta", property="og:image")["content"].endswith("/1/picture.png")
    empty = soup(Client().get(share(write("Text"))))
    assert empty.find("meta", property="og:image") is None


def test_page_views_are_counted_and_frames_are_not(anonymous, saved, share):
    link, holder = share(saved()), Client()
    for path in ("", "content", "picture.svg", ""):
        holder.get(link + path)
    assert Share.objects.get().uses == 2


def test_token_in_path_is_redacted(anonymous, saved, share, caplog):
    link = share(saved())
    caplog.set_level(logging.DEBUG)
    for path in ("", "content", "nothing-there"):
        Client().get(link + path)
    logged = [form.format(record) for form in (JsonFormatter(), LineFormatter()) for record in caplog.records]
    assert any("/s/[secret]/" in line for line in logged)
    assert not any(link.split("/")[2] in line for line in logged)
    assert redact(f"Not Found: {link}content") == "Not Found: /s/[secret]/content"
    assert redact("/s/short/ and /runs/s/x") == "/s/short/ and /runs/s/x"


@pytest.mark.usefixtures("anonymous")
class TestOriginOfResults:
    @pytest.fixture(autouse=True)
    def origin(self, settings):
        settings.VIZPORTAL_RESULTS_ORIGIN = ORIGIN
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "results.test"]

    def led_to(self, link):
        response = Client().get(f"{link}content?libraries=parent", headers=FRAME)
        assert response["Location"].startswith(f"{ORIGIN}/renders/")
        return response["Location"].removeprefix(ORIGIN)

    def ask(self, address):
        return Client().get(address, headers={"Host": "results.test:8443", **FRAME})

    def test_frame_is_redirected_to_results_origin_for_this_result(self, saved, share):
        curve, other = saved(), saved("Other")
        address = self.led_to(share(curve, origins=["https://wiki.example.com"]))
        response = self.ask(address)
        assert PAGE.encode() in body(response)
        assert policy(response)["frame-ancestors"] == "http://testserver https://wiki.example.com"
        assert self.ask(address.replace(str(curve.latest_id), str(other.latest_id))).status_code == 404

    @pytest.mark.parametrize("end", ["revoked", "expired", "gone", "inactive", "other"])
    def test_address_ends_with_its_link(self, saved, share, again, owner, end):
        curve = saved()
        address = self.led_to(share(curve))
        link = Share.objects.get()
        if end == "revoked":
            services.share_revoke(caller(owner), link, now=timezone.now())
        elif end == "expired":
            Share.objects.update(expires_at=timezone.now())
        elif end == "gone":
            link.delete()
        elif end == "inactive":
            owner.is_active = False
            owner.save()
        else:
            again(curve)
        assert self.ask(address).status_code == 404


def test_pages_create_renew_and_revoke_a_link_shown_once(browser, owner, saved):
    curve = saved()
    client = browser(owner)
    assert f"/shares/new/?render={curve.latest_id}" in client.get(curve.get_absolute_url()).content.decode()
    path = f"/shares/new/?render={curve.latest_id}"
    assert "this result, render 1" in text(client.get(path))
    values = {"what": "pinned", "days": "7", "origins": "https://wiki.example.com"}
    made = client.post(path, values)
    link = soup(made).select_one(".banner a")["href"].removeprefix("http://testserver")
    assert link.startswith("/s/")
    assert f'src="http://testserver{link}"' in soup(made).find("pre").get_text()
    share = Share.objects.get()
    assert (share.render, share.origins) == (curve.latest, "https://wiki.example.com")
    assert client.get(link).status_code == 200
    listed = client.get("/shares/")
    assert link not in listed.content.decode()
    assert "render 1" in text(listed)
    renewed = client.post(f"/shares/{share.id}/renew")
    fresh = soup(renewed).select_one(".banner a")["href"].removeprefix("http://testserver")
    assert (client.get(link).status_code, client.get(fresh).status_code) == (404, 200)
    assert "is revoked" in text(client.post(f"/shares/{share.id}/revoke", follow=True))
    assert client.get(fresh).status_code == 404
    assert "has ended" in text(client.post(f"/shares/{share.id}/renew", follow=True))
    assert client.post(f"/shares/{share.id}/explode").status_code == 404


def test_invalid_form_names_the_errors(browser, owner, saved):
    path = f"/shares/new/?visualization={saved().id}"
    wrong = browser(owner).post(path, {"what": "latest", "days": "9999", "origins": "https://a.example"})
    assert wrong.status_code == 422
    assert "1 to 90 days" in text(wrong)
    wrong = browser(owner).post(path, {"what": "latest", "days": "3", "origins": "everywhere"})
    assert "is not an origin" in text(wrong)
    assert not Share.objects.exists()
    for nowhere in ("", "?report=x", f"?render={uuid.uuid4()}"):
        assert browser(owner).get(f"/shares/new/{nowhere}").status_code == 404


def test_report_is_shared_from_its_page(browser, owner, write):
    report, client = write("Text"), browser(owner)
    path = f"/shares/new/?report={report.id}"
    assert path in client.get(report.get_absolute_url()).content.decode()
    client.post(path, {"days": "3"})
    assert Share.objects.get().report == report


def test_other_users_see_and_revoke_no_links_of_others(browser, reader, saved, share):
    share(saved())
    found = Share.objects.get()
    for path in ("/shares/", "/shares/new/", f"/shares/{found.id}/revoke"):
        assert Client().post(path).status_code == 302
    client = browser(reader)
    assert "No links yet" in text(client.get("/shares/"))
    assert client.post(f"/shares/{found.id}/revoke").status_code == 404


def send(client, method, path="", body=None):
    return client.generic(
        method, f"/api/v1/shares{path}", json.dumps(body) if body is not None else "", content_type="application/json"
    )


def test_api_creates_lists_and_revokes_links(anonymous, browser, owner, saved, write):
    client, curve = browser(owner), saved()
    made = send(client, "POST", "", {"visualization_id": str(curve.id), "days": 5, "origins": ["https://a.example"]})
    assert made.status_code == 201, made.content
    share = made.json()
    assert Client().get(share["link"].removeprefix("http://testserver")).status_code == 200
    assert share["link"] in share["embed"]
    send(client, "POST", "", {"render_id": str(curve.latest_id)})
    send(client, "POST", "", {"report_id": str(write("x").id)})
    listed = send(client, "GET").json()["items"]
    assert len(listed) == 3
    assert "link" not in listed[0]
    assert (listed[2]["uses"], listed[2]["open"], listed[2]["anonymous"]) == (1, True, True)
    assert send(client, "DELETE", f"/{share['id']}").status_code == 204
    assert send(client, "GET").json()["items"][2]["open"] is False


NOWHERE = "00000000-0000-4000-8000-000000000000"
OPERATIONS = [
    ("GET", "?page_size=0", None, "400 401"),
    ("POST", "", {}, "400 401"),
    ("POST", "", {"render_id": NOWHERE, "report_id": NOWHERE}, "400 401"),
    ("POST", "", {"render_id": NOWHERE}, "401 404"),
    ("DELETE", f"/{NOWHERE}", None, "401 404"),
]


@pytest.mark.parametrize(("method", "path", "given", "codes"), OPERATIONS)
def test_link_operation_returns_the_documented_error_codes(method, path, given, codes, browser, owner):
    found = {send(each, method, path, given).status_code for each in (Client(), browser(owner))}
    assert found == set(map(int, codes.split()))


def test_admin_site_revokes_links(browser, admin, saved, share):
    link = share(saved())
    client, found = browser(admin), Share.objects.get()
    assert found.prefix in text(client.get("/admin/sharing/share/"))
    client.post("/admin/sharing/share/", {"action": "revoke", "_selected_action": str(found.id)})
    assert client.get(link).status_code == 404
    client.post(f"/admin/sharing/share/{found.id}/delete/", {"post": "yes"})
    assert Share.objects.get().revoked_at
