"""Sign-in with an OpenID Connect provider: the complete flow, and what must be refused."""

import jwt
import pytest
import requests
from django.contrib.auth import get_user_model
from django.core.exceptions import SuspiciousOperation
from django.test import Client

from apps.accounts.backends import OidcBackend
from apps.accounts.models import AuditEntry

pytestmark = pytest.mark.django_db


def sign_in(sub, *, client=None, following=""):
    """Goes through the complete flow as a browser does; returns the client and the portal's last response."""
    client = client or Client()
    start = client.get("/oidc/start/", {"next": following} if following else {})
    asked = requests.post(start["Location"], data={"sub": sub}, allow_redirects=False, timeout=10)
    back = asked.headers["Location"]
    return client, client.get(back.removeprefix("http://testserver"))


def test_sign_in_leads_to_provider_and_back_to_the_requested_page(oidc):
    client = Client()
    wanted = client.get("/visualizations/?q=roc")
    assert wanted["Location"].startswith("/login/?next=")
    page = client.get(wanted["Location"]).content.decode()
    assert "/oidc/start/?next=%2Fvisualizations%2F%3Fq%3Droc" in page.replace(
        "/visualizations/", "%2Fvisualizations%2F"
    )
    _, answer = sign_in("ada", client=client, following="/visualizations/?q=roc")
    assert answer["Location"] == "/visualizations/?q=roc"
    assert client.get("/visualizations/").status_code == 200


def test_account_is_created_once_with_the_providers_claims(oidc):
    sign_in("ada")
    sign_in("ada")
    user = get_user_model().objects.get()
    assert (user.username, user.email, user.first_name) == ("ada@example.org", "ada@example.org", "Ada")
    assert not user.has_usable_password()
    assert list(AuditEntry.objects.values_list("action", "username")) == [("sign_in", "ada@example.org")] * 2


def test_provider_groups_grant_and_remove_the_role(oidc, settings):
    settings.VIZPORTAL_ROLE_GROUPS = {"administrator": ["ml-admins"], "viewer": ["guests"]}
    admin, _ = sign_in("ada")
    assert admin.get("/admin/").status_code == 200
    guest, _ = sign_in("bob")
    assert guest.get("/admin/").status_code == 302
    assert guest.get("/runs/new/").status_code == 403
    settings.VIZPORTAL_ROLE_GROUPS = {"viewer": ["staff"]}
    again, _ = sign_in("ada")
    assert again.get("/admin/").status_code == 302
    assert again.get("/runs/new/").status_code == 403


def test_unverified_email_cannot_take_over_an_account(oidc):
    sign_in("ada")
    client, answer = sign_in("eve")
    assert answer["Location"] == "/login/?failed=1"
    assert "did not work" in client.get(answer["Location"]).content.decode()
    assert client.get("/visualizations/").status_code == 302


def test_sign_in_without_username_claim_fails(oidc):
    _, answer = sign_in("nameless")
    assert answer["Location"] == "/login/?failed=1"
    assert not get_user_model().objects.exists()


def test_callback_of_another_browser_is_refused(oidc):
    first = Client()
    start = first.get("/oidc/start/")
    back = requests.post(start["Location"], data={"sub": "ada"}, allow_redirects=False, timeout=10).headers["Location"]
    answer = Client().get(back.removeprefix("http://testserver"))
    assert answer.status_code in {302, 400}
    assert not get_user_model().objects.exists()


@pytest.mark.parametrize("following", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_next_url_cannot_lead_to_another_site(oidc, following):
    _, answer = sign_in("ada", following=following)
    assert answer["Location"] == "/"


@pytest.mark.parametrize("claims", [{"aud": "another"}, {"iss": "https://evil.example"}])
def test_token_for_other_client_or_of_other_provider_is_refused(oidc, settings, claims):
    settings.OIDC_RP_SIGN_ALGO = "HS256"
    secret = settings.OIDC_RP_CLIENT_SECRET
    good = {"aud": ["portal"], "iss": oidc, "nonce": "n"}
    backend = OidcBackend()
    assert backend.verify_token(jwt.encode(good, secret, algorithm="HS256"), nonce="n")["iss"] == oidc
    with pytest.raises(SuspiciousOperation):
        backend.verify_token(jwt.encode(good | claims, secret, algorithm="HS256"), nonce="n")


def test_access_token_is_stored_only_if_configured(oidc, settings):
    client, _ = sign_in("ada")
    assert "oidc_access_token" not in client.session
    settings.OIDC_STORE_ACCESS_TOKEN = True
    client, _ = sign_in("ada")
    assert client.session["oidc_access_token"]


def test_unreachable_provider_returns_503_with_the_cause(oidc, settings):
    settings.VIZPORTAL_OIDC_ISSUER = "http://127.0.0.1:9"
    answer = Client().get("/oidc/start/")
    assert answer.status_code == 503
    assert "http://127.0.0.1:9 does not answer" in answer.content.decode()


def test_signing_out_ends_session_without_immediate_new_sign_in(oidc):
    client, _ = sign_in("ada")
    answer = client.post("/logout/")
    assert answer["Location"] == "/signed-out/"
    assert "You are signed out" in client.get("/signed-out/").content.decode()
    assert client.get("/visualizations/").status_code == 302
