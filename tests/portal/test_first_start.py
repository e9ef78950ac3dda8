"""The first start: progress of builds, samples, and the first account."""

from __future__ import annotations

import io
import os
import sys
import threading
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from renderer import Environments, EnvironmentUnusableError

from apps.accounts.first_account import has_accounts
from apps.visualizations.build_progress import build_told
from tests.waiting import wait_until
from vizportal.up import base_environment, services
from vizportal.up.base_environment import BaseEnvironment
from vizportal.up.supervisor import Service, StartError, Supervisor


def test_build_reports_stages_and_reminders():
    lines, reminded = [], threading.Event()

    def say(line):
        lines.append(line)
        if "still building base" in line:
            reminded.set()

    with build_told("base", say, every_s=0.01) as tell:
        tell("Installed 91 packages in 400ms")
        tell(" + numpy==2.4.0")
        tell("")
        assert reminded.wait(30)
    assert lines[0] == "  Installed 91 packages in 400ms"
    assert not any("numpy" in line for line in lines)
    assert not [each for each in threading.enumerate() if each.name == "build-progress"]


def test_build_command_compiles_bytecode_unless_told_not_to(monkeypatch):
    asked = []
    monkeypatch.setattr(
        Environments,
        "build",
        lambda _self, key, _tell, **options: asked.append((key, options)) or SimpleNamespace(interpreter="python"),
    )
    for arguments in ([], ["--without-bytecode"]):
        call_command("environments", "build", "steps", *arguments, stdout=io.StringIO(), stderr=io.StringIO())
    assert [options["compiles_bytecode"] for _, options in asked] == [True, False]


@pytest.fixture
def unbuilt(settings, tmp_path, monkeypatch):
    """Sets up an installation without environments, in which the test provides the build."""
    settings.VIZPORTAL_ENVIRONMENTS_DIR = tmp_path / "environments"
    monkeypatch.setattr(base_environment, "assets_publish", lambda _path: 0)

    def builds(build):
        monkeypatch.setattr(Environments, "build", build)
        return BaseEnvironment(say=print)

    return builds


def test_failed_build_ends_the_start_with_its_reason(unbuilt, capfd):
    def fail(_self, _key, tell, **_options):
        tell("Packages of base")
        raise EnvironmentUnusableError("uv is not installed.")

    base = unbuilt(fail)
    base.begin()
    with pytest.raises(StartError, match="could not be built"):
        base.await_built(lambda: False)
    printed = capfd.readouterr().out
    assert "Packages of base" in printed
    assert "uv is not installed." in printed


def test_stopping_the_start_ends_the_build(unbuilt, tmp_path):
    mark = tmp_path / "building"

    def build(*_arguments, **_options):
        mark.touch()
        threading.Event().wait()

    base = unbuilt(build)
    base.begin()
    wait_until(mark.exists, 30, "the build")
    base.await_built(lambda: True)
    base.await_imported(60, lambda: True)
    base.leave()
    assert not base._building.is_alive()  # noqa: SLF001


def test_one_time_service_is_not_restarted(tmp_path):
    supervisor = Supervisor(log_dir=tmp_path, say=lambda _: None)
    mark = tmp_path / "marks"
    code = f"import os; open({str(mark)!r}, 'a').write(f'{{os.getpriority(os.PRIO_PROCESS, 0)}}\\n'); input()"
    command = [sys.executable, "-c", code]
    supervisor.start(Service(name="once", command=command, environ=os.environ, is_once=True, nice=7))
    child = supervisor._children[0]  # noqa: SLF001
    child.process.wait(30)
    supervisor._revive(child)  # noqa: SLF001
    assert child.restart_at is None
    assert len(mark.read_text().split()) == 1
    supervisor.stop()


@pytest.mark.parametrize("has_samples", [True, False])
def test_samples_can_be_disabled(settings, tmp_path, has_samples):
    settings.VIZPORTAL_DATA_DIR = tmp_path
    settings.VIZPORTAL_SAMPLES = has_samples
    (tmp_path / "localkfp").mkdir()
    (tmp_path / "valkey").mkdir()
    plan = services.make_plan("127.0.0.1", 8000, tmp_path / "python")
    assert ("--samples" in plan.localkfp.command) is has_samples


def test_sign_in_page_says_how_to_create_the_first_account(db, settings):
    settings.VIZPORTAL_AUTH = "password"
    people = get_user_model().objects
    people.create_user("local")
    assert not has_accounts()
    assert "manage.py createsuperuser" in Client().get("/login/").content.decode()
    people.create_user("gone", password="secret-secret", is_active=False)
    assert not has_accounts()
    people.create_user("ada", password="secret-secret")
    assert has_accounts()
    assert "createsuperuser" not in Client().get("/login/").content.decode()
