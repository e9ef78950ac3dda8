"""Links and reports with a multi-user Kubeflow: who owns them, who may open them, and that they end with access."""

import pytest
from django.test import Client

from apps.reports.models import Report, ReportBlock, ReportVersion
from apps.runs import access

pytestmark = pytest.mark.django_db
FRAMED = {"Sec-Fetch-Dest": "iframe"}


@pytest.fixture
def link(world):
    return f"/s/{world.places['team-a']['token_of_share']}/"


def codes(client, link):
    return [client.get(f"{link}{path}", headers=FRAMED).status_code for path in ("", "content", "picture.svg")]


def test_anonymous_link_opens_for_everyone(world, link, clients, settings):
    settings.VIZPORTAL_SHARE_ANONYMOUS = True
    for client in clients.values():
        assert codes(client, link) == [200, 200, 200]


@pytest.mark.parametrize("is_anonymous", [True, False])
def test_link_ends_when_its_creator_loses_the_namespace(world, link, clients, settings, is_anonymous):
    settings.VIZPORTAL_SHARE_ANONYMOUS = is_anonymous
    readers = [clients["viewer_a"], clients["superuser"], *([Client()] if is_anonymous else [])]
    for client in readers:
        assert codes(client, link) == [200, 200, 200]
    # The portal still shows owners their own result, but a link requires access to the namespace.
    world.kubeflow.rights["member_a@example.org"] = []
    access.cache.clear()
    for client in readers:
        assert codes(client, link) == [404, 404, 404]


def test_shared_report_shows_what_its_sharer_may_read(world, people, clients, settings):
    settings.VIZPORTAL_SHARE_ANONYMOUS = True
    place, other = world.places["team-a"], world.places["team-b"]
    made = clients["member_a"].post(f"/shares/new/?report={place['report']}", {"days": "3"})
    link = made.context["link"].removeprefix("http://testserver")
    version = ReportVersion.objects.get(report=place["report"])
    ReportBlock.objects.create(version=version, position=1, kind="render", target_id=other["render"])
    page = Client().get(link).content.decode()
    assert "curve of team-a" in page
    assert "curve of team-b" not in page
    assert Client().get(f"{link}0/content", headers=FRAMED).status_code == 200
    assert Client().get(f"{link}1/content", headers=FRAMED).status_code == 404


def test_report_shows_each_reader_only_visible_results(world, clients):
    place, other = world.places["team-a"], world.places["team-b"]
    version = ReportVersion.objects.get(report=place["report"])
    ReportBlock.objects.create(version=version, position=1, kind="render", target_id=other["render"])
    for name, titles in {"viewer_a": {"curve of team-a"}, "superuser": {"curve of team-a", "curve of team-b"}}.items():
        for path in ("", "download.html"):
            response = clients[name].get(f"/reports/{place['report']}/{path}")
            content = b"".join(response.streaming_content) if response.streaming else response.content
            shown = {each for each in ("curve of team-a", "curve of team-b") if each in content.decode()}
            assert shown == titles


def test_new_report_belongs_to_a_namespace_that_its_owner_reads(world, people, clients):
    """The first namespace that the endpoint offers belongs to another team."""
    made = clients["member_b"].post("/reports/new/", {"title": "x", "action": "save"})
    report = Report.objects.get(title="x")
    assert (made.status_code, report.endpoint_key, report.namespace) == (302, "mesh", "team-b")
    assert clients["viewer_a"].get(report.get_absolute_url()).status_code == 404
    body = '{"title": "y", "namespace": "team-b"}'
    answers = [
        clients[name].post("/api/v1/reports", body, content_type="application/json").status_code
        for name in ("member_a", "member_b", "superuser")
    ]
    assert answers == [404, 201, 201]


def test_report_without_namespace_is_visible_to_its_owner_only(world, people, clients):
    report = Report.objects.create(title="x", owner=people["member_a"], endpoint_key="mesh")
    ReportVersion.objects.create(report=report, number=1, title="x")
    codes_of = {name: clients[name].get(report.get_absolute_url()).status_code for name in people}
    assert codes_of == {
        "anonymous": 302,
        "viewer_a": 404,
        "member_a": 200,
        "member_b": 404,
        "administrator": 404,
        "superuser": 200,
    }
