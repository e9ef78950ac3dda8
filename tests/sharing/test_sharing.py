"""Links: how long and for whom they are valid, what they lead to, and how uses are recorded."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.utils import timezone

from apps.accounts import roles
from apps.accounts.models import AuditEntry
from apps.accounts.roles import Role
from apps.reports import drafting
from apps.reports import services as report_services
from apps.sharing import opening, selectors, services
from apps.sharing.models import Share
from apps.visualizations.exceptions import InvalidRequestError, NotAllowedError, NotFoundError
from apps.visualizations.models import Render
from apps.visualizations.services import cancellation
from tests.callers import caller
from tests.sharing.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)
HOLDER = caller(AnonymousUser(), address="203.0.113.7")


def opened(token, *, visitor=HOLDER, now=NOW):
    return opening.share_open(visitor, token, now=now)


def is_nothing(token, **values):
    with pytest.raises(NotFoundError, match=r"^There is nothing at this address, or it no longer exists\.$"):
        opened(token, **values)
    return True


@pytest.fixture
def make(owner):
    def make(target, *, by=None, now=NOW, **values):
        return services.share_create(caller(by or owner), target, now=now, **values)

    return make


def test_link_expires(anonymous, saved, make):
    share, token = make(saved(), days=3)
    assert opened(token, now=NOW + timedelta(days=3, seconds=-1)).title == "Curve"
    assert is_nothing(token, now=NOW + timedelta(days=3))
    assert share.expires_at == NOW + timedelta(days=3)
    usual, _ = make(saved())
    assert usual.expires_at == NOW + timedelta(days=30)


def test_link_to_render_is_pinned_and_link_to_visualization_follows(anonymous, saved, again, make):
    curve = saved()
    first = curve.latest
    _, pinned = make(first)
    _, latest = make(curve)
    second = again(curve)
    again(curve, "", state="failed")
    assert opened(pinned).render_at(None) == first
    assert opened(latest).render_at(None) == second


def test_link_to_a_report_shows_its_newest_version(anonymous, saved, write, make, owner):
    report = write("Text", saved("First"))
    _, token = make(report)
    assert opened(token).render_at(1).visualization.title == "First"
    report_services.report_append(caller(owner), report, drafting.drafts_from([saved("Second")]))
    assert opened(token).render_at(2).visualization.title == "Second"
    for position in (None, 0, 3):
        with pytest.raises(NotFoundError):
            opened(token).render_at(position)


def test_revoked_token_and_renewed_links_old_token_are_invalid(anonymous, saved, make, owner, reader, admin):
    share, token = make(saved())
    with pytest.raises(NotAllowedError):
        services.share_revoke(caller(reader), share, now=NOW)
    fresh = services.share_renew(caller(owner), share, now=NOW)
    assert is_nothing(token)
    assert opened(fresh)
    with pytest.raises(NotAllowedError):
        services.share_renew(caller(admin), share, now=NOW)
    services.share_revoke(caller(admin), share, now=NOW)
    services.share_revoke(caller(admin), share, now=NOW)
    assert is_nothing(fresh)
    with pytest.raises(InvalidRequestError, match="has ended"):
        services.share_renew(caller(owner), share, now=NOW)
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "share.create",
        "share.renew",
        "share.revoke",
    ]


def test_invalid_token_is_not_found(anonymous, saved, make):
    share, token = make(saved())
    for wrong in ("", "x", token[:-1], token + "x", token.swapcase(), share.digest, share.prefix, "x" * 5000):
        assert is_nothing(wrong)


@pytest.mark.parametrize("end", ["inactive", "role", "deleted", "gone"])
def test_link_ends_with_its_creators_permission_and_its_target(anonymous, saved, make, owner, settings, end):
    curve = saved()
    _, token = make(curve)
    if end == "inactive":
        owner.is_active = False
        owner.save()
    elif end == "role":
        settings.VIZPORTAL_DEFAULT_ROLE = "none"
        roles.role_set(owner, Role.NONE)
    elif end == "deleted":
        cancellation.visualization_delete(caller(owner), curve)
    else:
        curve.delete()
        assert not Share.objects.exists()
    assert is_nothing(token)


def test_link_requires_create_permission(saved, reader, settings, make):
    settings.VIZPORTAL_DEFAULT_ROLE = "viewer"
    with pytest.raises(NotAllowedError):
        make(saved(), by=reader)
    assert not Share.objects.exists()


def test_invalid_days_origins_and_too_many_links_are_refused(saved, make, settings, monkeypatch):
    curve = saved()
    settings.VIZPORTAL_SHARE_MAX_DAYS = 10
    assert make(curve)[0].expires_at == NOW + timedelta(days=10)
    for days in (0, 11):
        with pytest.raises(InvalidRequestError, match="1 to 10 days"):
            make(curve, days=days)
    for origin in ("*", "https://a.example/path", "https://*.example", "https://a; script-src *", "ftp://a", "'self'"):
        with pytest.raises(InvalidRequestError, match="is not an origin"):
            make(curve, origins=[origin])
    with pytest.raises(InvalidRequestError, match="At most 10"):
        make(curve, origins=[f"https://a{number}.example" for number in range(11)])
    monkeypatch.setattr(services, "MOST_OPEN", 1)
    with pytest.raises(InvalidRequestError, match="already have 1 links"):
        make(curve)
    make(curve, now=NOW + timedelta(days=11))


def test_uses_are_counted_and_audited_once_per_visitor(anonymous, saved, make, reader, monkeypatch):
    share, _ = make(saved())
    for _ in range(3):
        services.share_use_note(HOLDER, share, now=NOW)
    services.share_use_note(caller(reader), share, now=NOW + timedelta(minutes=1))
    share.refresh_from_db()
    assert (share.uses, share.last_used_at) == (4, NOW + timedelta(minutes=1))
    entries = AuditEntry.objects.filter(action="share.use").order_by("id")
    assert [(each.username, each.address, each.target) for each in entries] == [
        ("", "203.0.113.7", str(share.id)),
        ("reader", "", str(share.id)),
    ]
    for number in range(300):
        services.share_use_note(caller(AnonymousUser(), address=f"203.0.113.{number}"), share, now=NOW)
    assert entries.all().count() == 200


def test_prune_keeps_shared_renders(saved, again, make, owner):
    curve, other = saved(), saved("Other")
    pinned, good = curve.latest, other.latest
    share, _ = make(pinned, now=timezone.now())
    make(other, now=timezone.now())
    again(curve)
    again(other, "", state="failed")
    Render.objects.update(finished_at=timezone.now() - timedelta(days=400))
    call_command("prune", "--older-than", "300")
    assert Render.objects.filter(id__in=[pinned.id, good.id]).count() == 2
    services.share_revoke(caller(owner), share, now=timezone.now())
    call_command("prune", "--older-than", "300")
    assert list(Render.objects.filter(id__in=[pinned.id, good.id])) == [good]


def test_users_see_only_their_own_links(saved, make, owner, reader, admin):
    curve = saved()
    share, _ = make(curve)
    mine, _ = make(curve.latest, by=reader)
    assert list(selectors.shares_of(caller(owner), curve)) == [share]
    assert list(selectors.shares_of(caller(reader), curve.latest)) == [mine]
    assert set(selectors.shares_visible(caller(admin))) == {share, mine}
    with pytest.raises(NotFoundError):
        selectors.share_get(caller(reader), share.id)
