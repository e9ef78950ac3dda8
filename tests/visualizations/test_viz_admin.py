"""Visualizations, renders and tokens in the admin site."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.visualizations.models import ApiToken, Render, Visualization
from apps.visualizations.services import pruning
from apps.visualizations.states import RenderState

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(admin, browser):
    return browser(admin)


@pytest.fixture
def act(client):
    def send(model, action, rows, **more):
        data = {"action": action, "_selected_action": [str(row.pk) for row in rows], **more}
        return client.post(reverse(f"admin:visualizations_{model}_changelist"), data, follow=True)

    return send


def text(response):
    return re.sub(r"\s+", " ", response.content.decode())


def test_admin_lists_search_filter_and_show_states(client, submit, work):
    submit(title="Alpha <script>")
    work()
    submit(title="Beta", type_key="roc_curve")
    for model in ("visualization", "render"):
        url = reverse(f"admin:visualizations_{model}_changelist")
        page = text(client.get(url))
        assert "render-state-succeeded" in page
        assert "render-state-queued" in page
        assert "Alpha <script>" not in page
        assert "Beta" not in text(client.get(url, {"q": "alpha"})).split("result_list")[1]
    found = client.get(reverse("admin:visualizations_visualization_changelist"), {"latest__state__exact": "queued"})
    assert "1 visualization" in text(found)


def test_visualization_page_shows_result_in_a_sandbox(client, submit, work, row):
    made = submit()
    work()
    page = text(client.get(reverse("admin:visualizations_visualization_change", args=[made.visualization.pk])))
    assert f'sandbox="allow-scripts" loading="lazy" title="Preview" src="/renders/{made.render.id}/content"' in page
    assert "allow-same-origin" not in page


def test_renders_are_read_only(client, submit, work, row):
    made = submit()
    work()
    url = reverse("admin:visualizations_render_change", args=[made.render.pk])
    page = text(client.get(url))
    assert reverse("admin:django_rq_dashboard_changelist") in page
    client.post(url, {"state": "failed", "code": "x"})
    assert row(made.render).state == RenderState.SUCCEEDED
    assert client.get(reverse("admin:visualizations_render_add")).status_code == 403
    assert client.post(reverse("admin:visualizations_render_delete", args=[made.render.pk])).status_code == 403


def test_actions_render_again_cancel_and_delete(act, submit, work, row, settings):
    made = submit()
    work()
    assert "1 queued" in text(act("visualization", "action_render_again", [made.visualization]))
    assert "being rendered already" in text(act("render", "action_render_again", [made.render]))
    latest = Render.objects.get(number=2)
    assert "1 asked to stop" in text(act("render", "action_cancel", [latest, made.render]))
    assert row(latest).state == RenderState.CANCELLED
    assert "None of them is waiting or running" in text(act("visualization", "action_cancel", [made.visualization]))
    assert "with 2 renders" in text(act("visualization", "delete_selected", [made.visualization]))
    act("visualization", "delete_selected", [made.visualization], post="yes")
    assert Visualization.objects.filter(deleted_at=None).count() == 0
    pruning.visualizations_purge(timezone.now() + pruning.UNDO)
    assert Visualization.objects.count() == 0
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []


def test_new_token_is_shown_once(client, admin):
    data = {"name": "script", "user": admin.pk, "expires_at_0": "", "expires_at_1": ""}
    page = text(client.post(reverse("admin:visualizations_apitoken_add"), data, follow=True))
    raw = re.search(r"vzp_[\w-]{40,}", page)[0]
    assert Client(headers={"Authorization": f"Bearer {raw}"}).get("/api/v1/types").status_code == 200
    token = ApiToken.objects.get()
    for url in ("changelist", "change"):
        args = [token.pk] if url == "change" else []
        assert raw not in text(client.get(reverse(f"admin:visualizations_apitoken_{url}", args=args)))


def test_queue_dashboard_is_part_of_the_admin(client, submit):
    made = submit()
    assert "render-base" in text(client.get(reverse("admin:django_rq_dashboard_changelist")))
    assert str(made.render.id) in text(client.get("/admin/rq/queues/0/"))


def test_users_without_admin_permission_are_refused(browser, reader, submit):
    made = submit()
    for url in ("changelist", "change"):
        args = [made.visualization.pk] if url == "change" else []
        response = browser(reader).get(reverse(f"admin:visualizations_visualization_{url}", args=args))
        assert response.status_code == 302
    staff = get_user_model().objects.create_user("staff", password="pw", is_staff=True)
    assert browser(staff).get(reverse("admin:visualizations_render_changelist")).status_code == 403
