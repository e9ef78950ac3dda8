"""Too many wrong passwords lock a user name out at one address for a while, without effect on others."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db.models import F
from django.test import Client

from apps.accounts import addresses, roles
from apps.accounts.models import AuditEntry

pytestmark = pytest.mark.django_db
LIMIT = 10


@pytest.fixture(autouse=True)
def ada(db):
    return get_user_model().objects.create_superuser("ada", "ada@example.org", "right")


def try_in(password, *, name="ada", path="/login/", client=None, **meta):
    """Signs in with a new client each time."""
    return (client or Client(**meta)).post(path, {"username": name, "password": password})


def fail(times, **options):
    return [try_in(f"wrong {number}", **options).status_code for number in range(times)]


def later(**passed):
    """Moves failed attempts into the past, as if time had passed."""
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(**passed))


@pytest.mark.parametrize("path", ["/login/", "/admin/login/"])
def test_lockout_refuses_even_the_right_password_and_explains(path):
    assert fail(LIMIT - 1, path=path) == [200] * (LIMIT - 1)
    assert fail(1, path=path) == [429]
    answer = try_in("right", path=path)
    assert answer.status_code == 429
    assert 14 * 60 < int(answer["Retry-After"]) <= 15 * 60
    page = answer.content.decode()
    assert "locked for 15 more minutes" in page
    assert "Ask an administrator" in page
    assert answer.wsgi_request.user.is_anonymous


def test_successful_sign_in_resets_the_count():
    fail(LIMIT - 1)
    assert try_in("right").status_code == 302
    assert fail(LIMIT - 1) == [200] * (LIMIT - 1)


def test_lockout_expires_and_is_not_extended_by_further_attempts():
    fail(LIMIT)
    later(minutes=14)
    answer = try_in("wrong")
    assert answer.status_code == 429
    assert "locked for 1 more minute," in answer.content.decode()
    later(minutes=1, seconds=1)
    assert try_in("right").status_code == 302


def test_lockout_does_not_affect_other_users_or_addresses():
    get_user_model().objects.create_user("bob", "bob@example.org", "right")
    fail(LIMIT, REMOTE_ADDR="192.0.2.1")
    assert try_in("right", name="bob", REMOTE_ADDR="192.0.2.1").status_code == 302
    assert try_in("right", REMOTE_ADDR="192.0.2.2").status_code == 302
    assert try_in("right", REMOTE_ADDR="192.0.2.1").status_code == 429


def test_lockout_covers_other_browsers_and_the_ipv6_network():
    for number in range(LIMIT):
        try_in("wrong", REMOTE_ADDR=f"2001:db8:1:1::{number:x}", HTTP_USER_AGENT=f"browser {number}")
    assert try_in("right", REMOTE_ADDR="2001:db8:1:1:ffff::1").status_code == 429
    assert try_in("right", REMOTE_ADDR="2001:db8:1:2::1").status_code == 302


def test_lockout_uses_client_address_behind_a_proxy(settings):
    settings.VIZPORTAL_TRUSTED_PROXIES = ["10.1.0.0/16"]
    proxy = {"REMOTE_ADDR": "10.1.2.3"}
    for number in range(LIMIT):
        # The browser wrote the first entry, which may be anything.
        try_in("wrong", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, 192.0.2.1, 10.1.9.9", **proxy)
    assert try_in("right", HTTP_X_FORWARDED_FOR="192.0.2.1", **proxy).status_code == 429
    assert try_in("right", HTTP_X_FORWARDED_FOR="192.0.2.2", **proxy).status_code == 302
    assert AuditEntry.objects.filter(action="sign_in.lock").get().address == "192.0.2.1"


@pytest.mark.parametrize(
    ("peer", "told", "found"),
    [
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),  # not a trusted proxy, so its header is ignored
        ("10.1.2.3", "", "10.1.2.3"),
        ("10.1.2.3", "198.51.100.1, 192.0.2.1:4711", "192.0.2.1"),
        ("10.1.2.3", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.1.2.3", "192.0.2.1, nonsense", "10.1.2.3"),
        ("10.1.2.3", "10.1.1.1", "10.1.1.1"),
        ("", "192.0.2.1", ""),
    ],
)
def test_client_address(settings, peer, told, found):
    settings.VIZPORTAL_TRUSTED_PROXIES = ["10.1.0.0/16"]
    assert addresses.client_address({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": told}) == found


def test_lockout_is_audited_once_and_no_password_is_stored():
    fail(LIMIT + 3)
    entry = AuditEntry.objects.get(action="sign_in.lock")
    assert (entry.username, entry.outcome) == ("ada", "refused")
    assert "10 wrong passwords; locked for 15 minutes" in entry.detail
    assert AuditEntry.objects.filter(action="sign_in", outcome="refused").count() == LIMIT + 3
    kept = AccessAttempt.objects.get()
    assert kept.failures_since_start == LIMIT
    assert "wrong" not in kept.post_data
    assert "ada" not in kept.post_data


def test_administrator_sees_and_ends_a_lockout():
    fail(LIMIT, name="bob")
    get_user_model().objects.create_user("bob", "bob@example.org", "right")
    carol = get_user_model().objects.create_user("carol")
    roles.role_set(carol, roles.Role.ADMINISTRATOR)
    client = Client()
    client.force_login(get_user_model().objects.get(pk=carol.pk))
    assert "bob" in client.get("/admin/axes/accessattempt/").content.decode()
    attempt = AccessAttempt.objects.get(username="bob")
    assert "wrong" not in client.get(f"/admin/axes/accessattempt/{attempt.pk}/change/").content.decode()
    client.post(f"/admin/axes/accessattempt/{attempt.pk}/delete/", {"post": "yes"})
    assert try_in("right", name="bob").status_code == 302


def test_command_ends_a_lockout(capsys):
    fail(LIMIT)
    call_command("axes_reset_username", "ada")
    assert try_in("right").status_code == 302


def test_expired_attempts_are_pruned(capsys):
    fail(1)
    call_command("prune")
    assert AccessAttempt.objects.count() == 1
    later(minutes=16)
    call_command("prune", dry_run=True)
    assert AccessAttempt.objects.count() == 1
    call_command("prune")
    assert AccessAttempt.objects.count() == 0
    assert "1 failed sign-ins were deleted." in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["local", "header", "oidc"])
def test_lockout_is_enabled_only_with_password_authentication(settings, mode):
    from tests.portal.test_deployment import settings_of

    assert settings_of(VIZPORTAL_AUTH=mode)["AXES_ENABLED"] is False
    assert settings_of(VIZPORTAL_AUTH="password")["AXES_ENABLED"] is True
