"""`manage.py check --deploy` reports weaknesses, and nothing for a good configuration behind HTTPS."""

import os
import runpy
import subprocess
import sys
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from django.conf import global_settings, settings

from vizportal import deploy_checks

_OURS = ("VIZPORTAL_", "KFP_", "DJANGO_", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOW_CUSTOM")
WELL = {
    "VIZPORTAL_HTTPS": "true",
    "VIZPORTAL_AUTH": "password",
    "VIZPORTAL_BIND": "0.0.0.0:8000",
    "VIZPORTAL_ALLOWED_HOSTS": "portal.example.com",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "SECRET_KEY_FALLBACKS": "ZYXWVUTSRQPONMLKJIHGFEDCBA9876543210zyxwvutsrqponmlkjihgfedcba",
    "DATABASE_URL": "postgres://portal:pw@db.example.com/portal?sslmode=verify-full&sslrootcert=/etc/ca.crt",
    "REDIS_URL": "rediss://:pw@queue.example.com:6379/0?ssl_ca_certs=/etc/ca.crt",
    "KFP_HOST": "https://kubeflow.example.com",
}


def environment(**ours):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return clean | {"VIZPORTAL_DATA_DIR": os.environ["VIZPORTAL_DATA_DIR"]} | ours


def settings_of(**environ):
    """Returns the settings of a process with these environment variables."""
    with patch.dict(os.environ, environment(**environ), clear=True):
        return runpy.run_path(settings.BASE_DIR / "vizportal" / "settings.py")


def check_deploy(**environ):
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    environ = environment(**environ)
    return subprocess.run(command, cwd=settings.BASE_DIR, env=environ, capture_output=True, text=True, check=False)


def said(monkeypatch, **environ):
    """Returns the ids and the text of the messages of our own checks."""
    monkeypatch.setattr(deploy_checks, "settings", SimpleNamespace(**settings_of(**environ)))
    found = [message for check in deploy_checks.CHECKS for message in check()]
    return [message.id for message in found], "\n".join(map(str, found))


@pytest.mark.parametrize("auth", ["password", "oidc", "header"])
@pytest.mark.slow
def test_documented_configuration_has_no_warnings(auth):
    done = check_deploy(**WELL | {"VIZPORTAL_AUTH": auth})
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_single_machine_behind_https_has_no_warnings():
    done = check_deploy(VIZPORTAL_HTTPS="true")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_command_reports_our_checks_and_djangos():
    changed = {"SECRET_KEY": "short", "SECRET_KEY_FALLBACKS": "short", "VIZPORTAL_DEBUG": "true"}
    done = check_deploy(**WELL | changed | {"VIZPORTAL_AUTH": "local"})
    assert done.returncode == 1
    for code in ("security.W009", "security.W025", "security.W018", "vizportal.E001"):
        assert done.stderr.count(f"({code})") == 1, done.stderr


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"VIZPORTAL_AUTH": "local"}, "vizportal.E001"),
        ({"VIZPORTAL_AUTH": "header", "VIZPORTAL_TRUSTED_PROXIES": "0.0.0.0/0"}, "vizportal.E002"),
        ({"VIZPORTAL_AUTH": "header", "VIZPORTAL_TRUSTED_PROXIES": "::/0"}, "vizportal.E002"),
        ({"VIZPORTAL_HTTPS": "false"}, "vizportal.W001"),
        ({"VIZPORTAL_ALLOWED_HOSTS": "*"}, "vizportal.W002"),
        ({"DATABASE_URL": "postgres://portal:pw@db.example.com/portal"}, "vizportal.W003"),
        ({"DATABASE_URL": "postgres://portal:pw@db.example.com/portal?sslmode=require"}, "vizportal.W003"),
        ({"REDIS_URL": "redis://:pw@queue.example.com:6379/0"}, "vizportal.W004"),
        ({"REDIS_URL": "rediss://:pw@queue.example.com:6379/0?ssl_cert_reqs=none"}, "vizportal.W004"),
        ({"REDIS_URL": "rediss://:pw@queue.example.com:6379/0?ssl_check_hostname=False"}, "vizportal.W004"),
        ({"REDIS_URL": "rediss://queue.example.com:6379/0"}, "vizportal.W005"),
        ({"ALLOW_CUSTOM_VISUALIZATIONS": "true", "VIZPORTAL_CUSTOM_WITHOUT_SANDBOX": "true"}, "vizportal.W006"),
        ({"VIZPORTAL_KFP_SERVICE_BIND": "0.0.0.0:8888", "VIZPORTAL_KFP_SERVICE_OPEN": "true"}, "vizportal.W007"),
        ({"VIZPORTAL_KFP_SERVICE_TOKEN": "guess-me"}, "vizportal.W008"),
        ({"VIZPORTAL_SHARE_ANONYMOUS": "true"}, "vizportal.W009"),
    ],
)
def test_each_weakness_is_reported_without_secrets(monkeypatch, changed, code):
    ids, text = said(monkeypatch, **WELL | changed)
    assert ids == [code]
    assert "pw" not in text
    assert "guess-me" not in text


@pytest.mark.parametrize(
    "near", ["postgres://portal:pw@127.0.0.1/portal", "postgres://%2Frun%2Fpostgresql/portal", "sqlite:////tmp/x"]
)
def test_local_connections_need_no_tls(monkeypatch, near):
    assert said(monkeypatch, **WELL | {"DATABASE_URL": near, "REDIS_URL": "unix:///run/valkey.sock"})[0] == []


def test_every_check_id_is_documented():
    text = (settings.BASE_DIR / "vizportal" / "deploy_checks.py").read_text()
    explained = (settings.BASE_DIR / "docs" / "security.md").read_text()
    ids = {part.partition('"')[0] for part in text.split('id="')[1:]}
    assert len(ids) == 11
    assert [each for each in sorted(ids) if f"`{each.removeprefix('vizportal.')}`" not in explained] == []


@pytest.mark.slow
def test_https_cookies_have_the_host_prefix():
    https = vars(global_settings) | settings_of(VIZPORTAL_HTTPS="true")
    assert https["SESSION_COOKIE_NAME"] == "__Host-sessionid"
    assert https["CSRF_COOKIE_NAME"] == "__Host-csrftoken"
    # The prefix requires these attributes. Otherwise browsers refuse the cookie.
    assert all(https[name] is True for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"))
    assert all(https[name] == "/" for name in ("SESSION_COOKIE_PATH", "CSRF_COOKIE_PATH"))
    assert all(https[name] is None for name in ("SESSION_COOKIE_DOMAIN", "CSRF_COOKIE_DOMAIN"))
    assert https["SESSION_COOKIE_HTTPONLY"] is True
    assert "SESSION_COOKIE_NAME" not in settings_of()
