"""A real OpenID Connect provider in a separate process."""

import json
import subprocess
import sys

import pytest

PROVIDER = """
import json, sys
import oidc_provider_mock as provider
people = [provider.User(sub=name, claims=claims) for name, claims in json.loads(sys.argv[1]).items()]
with provider.run_server_in_thread(user_claims=people) as server:
    print(server.server_port, flush=True)
    sys.stdin.read()
"""
PEOPLE = {
    "ada": {"email": "ada@example.org", "email_verified": True, "given_name": "Ada", "groups": ["ml-admins", "staff"]},
    "eve": {"email": "ada@example.org", "email_verified": False},
    "bob": {"email": "bob@example.org", "email_verified": True, "groups": ["guests"]},
    "nameless": {"email_verified": True},
}


@pytest.fixture(scope="module")
def provider_url():
    """The issuer URL of a provider whose users are PEOPLE."""
    command = [sys.executable, "-W", "ignore", "-c", PROVIDER, json.dumps(PEOPLE)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield f"http://localhost:{process.stdout.readline().strip()}"
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()


@pytest.fixture
def oidc(settings, provider_url):
    """Configures the portal for that provider."""
    settings.VIZPORTAL_AUTH = "oidc"
    settings.AUTHENTICATION_BACKENDS = ["apps.accounts.backends.OidcBackend"]
    settings.VIZPORTAL_OIDC_ISSUER = provider_url
    settings.OIDC_RP_CLIENT_ID = "portal"
    settings.OIDC_RP_CLIENT_SECRET = "portal's secret, long enough for HS256"
    return provider_url


@pytest.fixture
def header(settings):
    """Configures the portal behind an authenticating proxy that names the user in a header."""
    settings.VIZPORTAL_AUTH = "header"
    settings.AUTHENTICATION_BACKENDS = ["apps.accounts.backends.HeaderBackend"]
    settings.VIZPORTAL_TRUSTED_PROXIES = ["10.1.0.0/16"]
    return {"REMOTE_ADDR": "10.1.2.3"}
