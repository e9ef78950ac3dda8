import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from vizportal import env


@pytest.mark.parametrize(("text", "value"), [("true", True), ("ON", True), ("1", True), ("no", False), ("", False)])
def test_booleans_are_parsed(monkeypatch, text, value):
    monkeypatch.setenv("X", text)
    assert env.read_bool("X", default=not value) is value


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (lambda: env.read_bool("X", default=False), "maybe", "true or false"),
        (lambda: env.read_int("X", 1), "many", "whole number"),
        (lambda: env.read_int("X", 1, least=1), "0", "at least 1"),
        (lambda: env.read_choice("X", "a", ["a", "b"]), "c", "one of a, b"),
        *(
            (lambda: env.read_origin("X"), text, "must be an origin such as")
            for text in (
                *("results.example.com", "ftp://a", "https://", "https://a/b", "https://a?b", "https://me@a"),
                *("https://a:443", "http://a:80", "https://a:x", "https://[a"),
            )
        ),
    ],
)
def test_invalid_value_raises_improperly_configured(monkeypatch, read, text, words):
    monkeypatch.setenv("X", text)
    with pytest.raises(ImproperlyConfigured, match=words):
        read()


def test_secret_can_be_read_from_a_file(monkeypatch, tmp_path):
    path = tmp_path / "secret"
    path.write_text("s3cret\n")
    monkeypatch.setenv("X_FILE", str(path))
    assert env.read_str("X") == "s3cret"
    monkeypatch.setenv("X", "also")
    with pytest.raises(ImproperlyConfigured, match="not both"):
        env.read_str("X")


def test_empty_list_items_are_dropped(monkeypatch):
    monkeypatch.setenv("X", " a, ,b,")
    assert env.read_list("X") == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "origin", "host"),
    [
        ("https://Results.example.com/", "https://results.example.com", "results.example.com"),
        ("http://localhost:8001", "http://localhost:8001", "localhost"),
        ("http://[::1]:8001", "http://[::1]:8001", "[::1]"),
        ("", "", ""),
    ],
)
def test_origin_is_normalized(monkeypatch, text, origin, host):
    monkeypatch.setenv("X", text)
    assert env.read_origin("X") == origin
    assert env.host_of(origin) == host


def test_results_origin_is_an_allowed_host_and_frame_source(tmp_path):
    code = (
        "from vizportal.settings import *; print(ALLOWED_HOSTS[-1], CONTENT_SECURITY_POLICY['DIRECTIVES']['frame-src'])"
    )
    said = []
    for origin in ("https://results.example.com", ""):
        environ = {**os.environ, "VIZPORTAL_DATA_DIR": str(tmp_path), "VIZPORTAL_RESULTS_ORIGIN": origin}
        call = [sys.executable, "-c", code]
        said.append(
            subprocess.run(call, env=environ, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True)
        )
    shown = [each.stdout.strip() for each in said]
    assert shown == ["results.example.com [\"'self'\", 'https://results.example.com']", "[::1] [\"'self'\"]"]
