"""The queue page: running and waiting renders, cancelling and pausing; and the same by command."""

import json

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import AuditEntry
from apps.queues import selectors, services
from apps.visualizations.exceptions import InvalidRequestError, NotAllowedError
from apps.visualizations.models import QueuePause, Render
from apps.visualizations.states import RenderState
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)


def page(client, path="/queue/"):
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_empty_queue_has_a_message_and_no_menu_entry(browser, reader, submit):
    client = browser(reader)
    assert "Nothing runs or waits here." in page(client)
    assert 'href="/queue/"' not in page(client, "/reports/")
    submit()
    assert 'href="/queue/"' in page(client, "/reports/")
    assert "1 running, 0 waiting" not in page(client)
    assert "0 running, 1 waiting" in page(client)


def test_page_lists_renders_in_turn_order_with_expected_times(browser, owner, reader, submit, work):
    submit(title="earlier")
    work()
    mine = [submit(force=True).render for _ in range(2)]
    theirs = submit(user=reader, force=True).render
    text = page(browser(reader))
    places = [text.index(f'href="{each.get_absolute_url()}"') for each in (theirs, *mine)]
    assert places == sorted(places)
    assert text.count("done in about") == 3
    assert text.count(">Cancel<") == 1, "their own only"


def test_page_shows_running_render_with_expected_duration(browser, owner, submit, work, kernel):
    submit()
    work()
    seen = []
    kernel.during = lambda: seen.append(page(browser(owner)))
    submit(title="at work", force=True)
    work()
    assert "1 running, 0 waiting" in seen[0]
    assert "at work" in seen[0]
    assert "takes about" in seen[0]


def test_users_cancel_their_own_and_administrators_any_render(browser, owner, reader, admin, submit, row):
    first, second = submit(force=True).render, submit(force=True).render
    assert browser(reader).post(f"/queue/{first.id}/cancel").status_code == 404
    assert row(first).state == RenderState.QUEUED
    answer = browser(owner).post(f"/queue/{first.id}/cancel")
    assert (answer.status_code, answer["Location"]) == (302, "/queue/")
    browser(admin).post(f"/queue/{second.id}/cancel")
    assert {row(first).state, row(second).state} == {RenderState.CANCELLED}


def test_hidden_renders_are_only_counted_in_merged_rows(submit, owner, reader, monkeypatch):
    own = [submit(user=reader, force=True).render.id for _ in range(2)]
    for _ in range(3):
        submit(force=True)
    visible = Render.objects.filter(id__in=own).select_related("visualization", "requested_by")
    monkeypatch.setattr("apps.visualizations.selectors.renders_visible", lambda _caller: visible)
    base = next(each for each in selectors.queue_view(caller(reader)) if each.environment == "base")
    assert [(each.render and each.render.id, each.hidden) for each in base.rows] == [
        (own[0], 0),
        (None, 1),
        (own[1], 0),
        (None, 2),
    ]
    assert (base.waiting, base.more) == (5, 0)


def test_long_queue_is_cut_and_says_how_many_follow(submit, owner, monkeypatch, browser):
    monkeypatch.setattr(selectors, "MOST_SHOWN", 2)
    for _ in range(3):
        submit(force=True)
    assert "1 more waits after these." in page(browser(owner))


def test_administrator_pauses_and_everyone_sees_the_reason(browser, owner, admin, submit, work, row):
    made = submit().render
    answer = browser(admin).post(
        "/queue/pause", {"environment": "base", "reason": "New disks  until noon"}, follow=True
    )
    assert "Paused." in answer.content.decode()
    work()
    assert row(made).state == RenderState.QUEUED
    text = page(browser(owner))
    assert "The queue of base is paused." in text
    assert "New disks until noon" in text
    assert "Resume" not in text
    assert "Resume" in page(browser(admin))
    browser(admin).post("/queue/resume", {"environment": "base"})
    work()
    assert row(made).state == RenderState.SUCCEEDED
    entries = AuditEntry.objects.filter(action__startswith="queue.").order_by("id")
    assert list(entries.values_list("action", "target", "detail")) == [
        ("queue.pause", "base", "New disks until noon"),
        ("queue.resume", "base", ""),
    ]


@pytest.mark.parametrize("path", ["/queue/pause", "/queue/resume"])
def test_only_administrators_pause_or_resume(browser, owner, path):
    QueuePause.objects.create(environment="", reason="x")
    assert browser(owner).post(path, {"environment": "", "reason": "y"}).status_code == 403
    assert QueuePause.objects.get().reason == "x"
    with pytest.raises(NotAllowedError):
        services.queue_resume(caller(owner), "")


@pytest.mark.parametrize(("environment", "reason"), [("nowhere", "x"), ("base", "  "), ("base", "x" * 201)])
def test_pause_requires_a_known_queue_and_a_reason(admin, browser, environment, reason):
    with pytest.raises(InvalidRequestError):
        services.queue_pause(caller(admin), environment, reason)
    browser(admin).post("/queue/pause", {"environment": environment, "reason": reason})
    assert not QueuePause.objects.exists()


def test_creator_reports_a_paused_queue(browser, owner, kubeflow, monkeypatch):
    from apps.visualizations.views import creator

    monkeypatch.setattr(creator, "gateway_for", lambda *_args: kubeflow)
    QueuePause.objects.create(environment="", reason="New disks")
    text = page(browser(owner), "/runs/r1/steps/s1/visualizations/form?type=table&artifact=predictions")
    assert "so your render will wait: New disks" in text


def test_readyz_shows_pause_reason_to_administrators_only(client, admin, browser, settings):
    QueuePause.objects.create(environment="", reason="New disks")
    settings.VIZPORTAL_AUTH = "accounts"
    assert json.loads(client.get("/readyz").content)["queue"]["paused"] == ["all"]
    found = json.loads(browser(admin).get("/readyz").content)
    assert found["queue"]["paused"] == [{"environment": "", "reason": "New disks"}]
    assert found["status"] == "degraded"


def test_deleting_a_pause_in_admin_site_resumes_the_queue(browser, admin):
    pause = QueuePause.objects.create(environment="base", reason="New disks")
    client = browser(admin)
    assert "New disks" in page(client, "/admin/visualizations/queuepause/")
    client.post(f"/admin/visualizations/queuepause/{pause.pk}/delete/", {"post": "yes"})
    assert not QueuePause.objects.exists()
    assert AuditEntry.objects.filter(action="queue.resume").exists()


def test_command_pauses_drains_lists_and_resumes(submit, capsys, monkeypatch, row):
    made = submit().render
    call_command("queue", "pause", "base", "--reason", "New disks")
    call_command("queue", "list")
    assert "0 running  1 waiting  paused: New disks" in capsys.readouterr().out
    Render.objects.filter(id=made.id).update(state=RenderState.RUNNING)
    with pytest.raises(CommandError, match="1 still running"):
        call_command("queue", "drain", "--reason", "x", "--wait", "--timeout", "-1")

    def end(_seconds):
        Render.objects.filter(id=made.id).update(state=RenderState.SUCCEEDED)

    monkeypatch.setattr("apps.queues.management.commands.queue.time.sleep", end)
    call_command("queue", "drain", "--reason", "x", "--wait")
    assert "1 still running.\nNothing runs any more." in capsys.readouterr().out
    for environment in ("", "base"):
        call_command("queue", "resume", *filter(None, [environment]))
    assert not QueuePause.objects.exists()
    call_command("queue", "resume")
    assert "It was not paused." in capsys.readouterr().out
    with pytest.raises(CommandError, match="no queue 'x'"):
        call_command("queue", "pause", "x", "--reason", "y")
