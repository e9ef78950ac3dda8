"""Pages offer only permitted actions: a viewer may use every form and link on the pages that a viewer sees."""

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client

from tests.runs.kubeflow import run_row

PAGES = [
    "/runs/",
    "/runs/?archived=1",
    "/runs/r1/",
    "/runs/r2/",
    "/runs/r3/",
    "/runs/r1/steps/read-data/",
    "/runs/r1/steps/read-data/artifacts/1/preview",
    "/runs/compare/?run=r1&run=r2",
    "/pipelines/",
    "/pipelines/p1/",
    "/pipelines/p1/versions/v1/",
    "/experiments/",
    "/recurring/",
]
# Sign-out, and the viewer's own filters.
THEIRS = ("/logout/", "/runs/filters/save", "/account/")


@pytest.fixture
def runs(kubeflow):
    kubeflow.runs += [
        run_row("r2", state="FAILED", storage_state="ARCHIVED"),
        run_row("r3", state="RUNNING", finished_at="1970-01-01T00:00:00Z"),
    ]


@pytest.fixture
def viewer(db):
    user = get_user_model().objects.create_user("vera")
    user.groups.add(Group.objects.get(name="Viewers"))
    browser = Client()
    browser.force_login(user)
    return browser


def offers(client, path):
    """Returns the actions that a page offers: (method, address, button)."""
    response = client.get(path)
    assert response.status_code == 200
    page = BeautifulSoup(response.content, "html.parser")
    found = set()
    for form in page.find_all("form", method="post"):
        for button in form.find_all("button", attrs={"name": "action"}) or [{}]:
            found.add(("post", form["action"], button.get("value", "")))
    links = [link["href"] for link in page.find_all("a", href=True)]
    return found | {("get", link, "") for link in links if link.startswith("/runs/new")}


@pytest.mark.parametrize("path", PAGES)
def test_viewer_is_offered_only_permitted_actions(viewer, runs, path):
    for method, address, action in offers(viewer, path):
        if address.startswith(THEIRS):
            continue
        response = getattr(viewer, method)(address, {"action": action, "run": ["r1", "r2"], "tag": "x"})
        assert response.status_code in {200, 302}, (method, address, action)


@pytest.mark.parametrize("path", PAGES[:5])
def test_permitted_user_is_offered_the_actions(client, runs, path):
    offered = {address.rstrip("/").rpartition("/")[2] or address for _, address, _ in offers(client, path)}
    assert offered & {"selection", "archive", "terminate", "delete", "unarchive"}


def test_refused_action_keeps_the_selection(client, runs, kubeflow):
    kubeflow.runs += [run_row(f"m{number}") for number in range(12)]
    chosen = [f"m{number}" for number in range(11)]
    for data in ({"action": "compare"}, {"action": "tag", "tag": " "}):
        answer = client.post("/runs/selection", {**data, "run": chosen, "next": "/runs/"}, follow=True)
        page = BeautifulSoup(answer.content, "html.parser")
        ticked = {box["value"] for box in page.select("input[name=run][checked]")}
        assert ticked == set(chosen), data
    # Only the next page keeps the selection.
    assert not BeautifulSoup(client.get("/runs/").content, "html.parser").select("input[name=run][checked]")
