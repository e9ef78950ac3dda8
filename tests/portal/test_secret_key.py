"""The key in the data directory: made once, changed by a command, the former ones known for a while."""

import os
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from vizportal import env, secret

A_DAY_S = 24 * 3600


def test_a_new_key_takes_over_and_the_old_one_is_known_for_a_while(tmp_path):
    first = secret.load_or_create(tmp_path)
    secret.rotate(tmp_path, is_old_dropped=False)
    second = secret.load_or_create(tmp_path)
    secret.rotate(tmp_path, is_old_dropped=False)
    assert len({first, second, secret.load_or_create(tmp_path)}) == 3
    assert secret.load_replaced(tmp_path, A_DAY_S) == [second, first]
    assert secret.load_replaced(tmp_path, -1) == []
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "secret_key": 0o600,
        "secret_key.replaced": 0o600,
    }


def test_a_former_key_ends_with_the_sessions_it_signed(tmp_path):
    secret.load_or_create(tmp_path)
    (tmp_path / "secret_key.replaced").write_text(
        f"{int(time.time() - 2 * A_DAY_S)} older\n{int(time.time() - A_DAY_S / 2)} younger\nnothing\n"
    )
    assert secret.load_replaced(tmp_path, A_DAY_S) == ["younger"]


def test_a_key_that_leaked_ends_at_once_with_all_before_it(tmp_path):
    leaked = secret.load_or_create(tmp_path)
    secret.rotate(tmp_path, is_old_dropped=False)
    secret.rotate(tmp_path, is_old_dropped=True)
    assert secret.load_replaced(tmp_path, A_DAY_S) == []
    assert secret.load_or_create(tmp_path) != leaked


@pytest.mark.slow
def test_the_command_changes_what_processes_read_when_they_start(tmp_path):
    environ = {**os.environ, "VIZPORTAL_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "vizportal.settings"}
    environ = {name: value for name, value in environ.items() if not name.startswith("SECRET_KEY")}
    show = "from django.conf import settings as s; print(s.SECRET_KEY, *s.SECRET_KEY_FALLBACKS)"

    def run(*command):
        done = subprocess.run(
            [sys.executable, *command], cwd=settings.BASE_DIR, env=environ, capture_output=True, text=True, check=True
        )
        return done.stdout

    old = run("-c", show).split()
    assert "336 hours more" in run("manage.py", "rotate_key")
    new = run("-c", show).split()
    assert new[0] != old[0]
    assert new[1:] == old
    assert "sign in again" in run("manage.py", "rotate_key", "--drop-old")
    assert len(run("-c", show).split()) == 1


def test_a_configured_key_is_changed_where_it_is_configured(monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", "/run/secrets/key")
    with pytest.raises(CommandError, match="SECRET_KEY_FALLBACKS"):
        call_command("rotate_key")


def test_former_keys_stand_one_a_line_in_a_file_or_comma_separated(monkeypatch, tmp_path):
    (tmp_path / "keys").write_text("one\n\ntwo\n")
    monkeypatch.setenv("X_FILE", str(tmp_path / "keys"))
    assert env.read_list("X") == ["one", "two"]
    monkeypatch.delenv("X_FILE")
    monkeypatch.setenv("X", "one, two")
    assert env.read_list("X") == ["one", "two"]
