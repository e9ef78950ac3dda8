import pytest
from django.core.exceptions import ImproperlyConfigured

from vizportal import env


@pytest.mark.parametrize(("text", "value"), [("true", True), ("ON", True), ("1", True), ("no", False), ("", False)])
def test_truth_values(monkeypatch, text, value):
    monkeypatch.setenv("X", text)
    assert env.read_bool("X", default=not value) is value


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (lambda: env.read_bool("X", default=False), "maybe", "true or false"),
        (lambda: env.read_int("X", 1), "many", "whole number"),
        (lambda: env.read_int("X", 1, least=1), "0", "at least 1"),
        (lambda: env.read_choice("X", "a", ["a", "b"]), "c", "one of a, b"),
    ],
)
def test_what_is_wrong_is_said(monkeypatch, read, text, words):
    monkeypatch.setenv("X", text)
    with pytest.raises(ImproperlyConfigured, match=words):
        read()


def test_a_secret_may_come_from_a_file(monkeypatch, tmp_path):
    path = tmp_path / "secret"
    path.write_text("s3cret\n")
    monkeypatch.setenv("X_FILE", str(path))
    assert env.read_str("X") == "s3cret"
    monkeypatch.setenv("X", "also")
    with pytest.raises(ImproperlyConfigured, match="not both"):
        env.read_str("X")


def test_lists_lose_their_empty_parts(monkeypatch):
    monkeypatch.setenv("X", " a, ,b,")
    assert env.read_list("X") == ["a", "b"]
