"""The key in the data directory is created once and rotated by a command. Former keys stay valid for a while."""

import os
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from vizportal import env, secret

A_DAY_S = 24 * 3600


def test_rotated_keys_stay_valid_for_a_while(tmp_path):
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


def test_former_key_expires_with_its_sessions(tmp_path):
    secret.load_or_create(tmp_path)
    (tmp_path / "secret_key.replaced").write_text(
        f"{int(time.time() - 2 * A_DAY_S)} older\n{int(time.time() - A_DAY_S / 2)} younger\nnothing\n"
    )
    assert secret.load_replaced(tmp_path, A_DAY_S) == ["younger"]


def test_leaked_key_and_all_former_keys_can_be_dropped(tmp_path):
    leaked = secret.load_or_create(tmp_path)
    secret.rotate(tmp_path, is_old_dropped=False)
    secret.rotate(tmp_path, is_old_dropped=True)
    assert secret.load_replaced(tmp_path, A_DAY_S) == []
    assert secret.load_or_create(tmp_path) != leaked


@pytest.mark.slow
def test_rotate_key_changes_the_keys_of_new_processes(tmp_path):
    environ = {**os.environ, "VIZPORTAL_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "vizportal.settings"}
    environ = {name: value for name, value in environ.items() if not name.startswith("SECRET_KEY")}
    show = "from django.conf import settings as s; print(s.SECRET_KEY, *s.SECRET_KEY_FALLBACKS)"

    def run(*command):
        done = subprocess.run(
            [sys.executable, *command], cwd=settings.BASE_DIR, env=environ, capture_output=True, text=True, check=True
        )
        return done.stdout

    old = run("-c", show).split()
    assert "336 more hours" in run("manage.py", "rotate_key")
    new = run("-c", show).split()
    assert new[0] != old[0]
    assert new[1:] == old
    assert "sign in again" in run("manage.py", "rotate_key", "--drop-old")
    assert len(run("-c", show).split()) == 1


def test_rotate_key_refuses_a_configured_key(monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", "/run/secrets/key")
    with pytest.raises(CommandError, match="SECRET_KEY_FALLBACKS"):
        call_command("rotate_key")


def test_list_is_read_from_lines_of_a_file_or_commas(monkeypatch, tmp_path):
    (tmp_path / "keys").write_text("one\n\ntwo\n")
    monkeypatch.setenv("X_FILE", str(tmp_path / "keys"))
    assert env.read_list("X") == ["one", "two"]
    monkeypatch.delenv("X_FILE")
    monkeypatch.setenv("X", "one, two")
    assert env.read_list("X") == ["one", "two"]
