"""Notices about proposals: reviewers by e-mail and in the menu, authors of the decision; and the command."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts import roles
from apps.accounts.roles import Role
from apps.notifications import deliveries
from apps.notifications.models import Delivery
from apps.promotion import decisions, services
from apps.promotion.models import VersionState
from tests.callers import caller
from tests.promotion.conftest import person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mail(settings, mailoutbox):
    settings.EMAIL_HOST = "mail.example.org"
    settings.VIZPORTAL_PUBLIC_URL = "https://portal.example.com"
    return mailoutbox


@pytest.fixture
def sent(mail):
    """Makes the next attempt of every waiting message; returns recipient and subject of all mail so far."""

    def send():
        for row in Delivery.objects.filter(state="waiting"):
            deliveries.delivery_send(str(row.id), row.attempts + 1)
        return [(*each.to, each.subject) for each in mail]

    return send


def told(*args):
    out = io.StringIO()
    call_command("proposals", *map(str, args), stdout=out)
    return out.getvalue()


def test_reviewers_get_mail_about_proposal_and_author_about_decision(draft, owner, member, reviewer, sent, mail):
    person("nomail", Role.ADMINISTRATOR).__class__.objects.filter(username="nomail").update(email="")
    services.proposal_propose(caller(owner), draft)
    title = draft.versions.get().title
    assert sent() == [("grace@example.com", f"To review: {title}, version 1")]
    assert f"https://portal.example.com{draft.get_absolute_url()}" in mail[0].body
    assert "author proposes custom code" in mail[0].body
    decisions.proposal_reject(caller(reviewer), draft, 1, "Say\nwhat the bins are.")
    assert sent()[1:] == [("author@example.com", f"Rejected: {title}, version 1")]
    assert "Say what the bins are." in mail[1].body
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_approval_mail_is_sent_once_even_if_the_job_repeats(proposed, reviewer, sent, mail):
    sent()
    decisions.proposal_approve(caller(reviewer), proposed, 1, "")
    row = Delivery.objects.get(state="waiting")
    deliveries.delivery_send(str(row.id), 1)
    deliveries.delivery_send(str(row.id), 1)
    assert [each.subject.partition(":")[0] for each in mail if each.to == ["author@example.com"]] == ["Approved"]


def test_former_reviewers_and_inactive_authors_get_no_mail(draft, owner, reviewer, sent):
    services.proposal_propose(caller(owner), draft)
    roles.role_set(reviewer, Role.VIEWER)
    assert sent() == []
    assert Delivery.objects.get().state == "failed"
    owner.is_active = False
    owner.save()
    decisions.proposal_reject(caller(person("hopper", Role.ADMINISTRATOR)), draft, 1, "x")
    assert sent() == []


def test_no_delivery_is_created_without_mail_server(proposed):
    assert proposed.versions.get().state == VersionState.PROPOSED
    assert not Delivery.objects.exists()


def test_menu_counts_pending_proposals_for_reviewers_only(browser, proposed, owner, reviewer, member):
    assert "1 proposal to review" in browser(reviewer).get("/design/").content.decode()
    counts = {}
    for each in (owner, member):
        client = browser(each)
        client.get("/design/")
        with CaptureQueriesContext(
            connection,
        ) as seen:
            page = client.get("/design/").content.decode()
        assert "to review" not in page
        counts[each.username] = [query for query in seen.captured_queries if "promotion_proposal" in query["sql"]]
    assert counts == {"author": [], "member": []}
    decisions.proposal_approve(caller(reviewer), proposed, 1, "")
    assert "to review" not in browser(reviewer).get("/design/").content.decode()


def test_command_lists_shows_and_decides(proposed, edit, owner):
    assert f"{proposed.id}  In review" in told("list")
    assert str(proposed.id) in told("list", "--pending")
    shown = told("show", proposed.id)
    assert "In review" in shown
    assert "[tool.vizportal]" in shown
    with pytest.raises(CommandError, match="7"):
        told("approve", proposed.id, 7)
    assert "It is the type" in told("approve", proposed.id, 1, "--comment", "Fine.")
    assert told("list", "--pending") == ""
    proposed.refresh_from_db()
    edit(proposed, "bins=bins", "bins=2")
    services.proposal_propose(caller(owner), proposed)
    assert "bins=2" in told("show", proposed.id, "--difference")
    assert "# /// script" not in told("show", proposed.id, "--difference")
    assert "Rejected" in told("reject", proposed.id, 2, "--comment", "No.")
    assert "Retired" in told("retire", proposed.id)
    for wrong in (("show", "nothing"), ("show", "0b0f8b3c-8f5b-4c53-9e8e-6f8f3b7f7d2e"), ("retire", proposed.id)):
        with pytest.raises(CommandError):
            told(*wrong)
