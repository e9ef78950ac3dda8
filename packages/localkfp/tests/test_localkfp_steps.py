"""Parse the commands of components, and check the private part of kfp that the launcher needs."""

import io
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import yaml
from localkfp import step_environments
from localkfp.step_commands import StepCommand, parse_command
from localkfp.step_environments import StepEnvironmentError, StepEnvironments, step_environ

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from kfp import dsl
    from kfp.dsl import executor_main


def command_of(**options):
    @dsl.component(base_image="python:3.11", **options)
    def work(n: int) -> int:
        return n

    return list(work.component_spec.implementation.container.command)


def test_command_of_a_plain_component_has_only_code():
    found = parse_command(command_of())
    assert "def work(n: int)" in found.code
    assert (found.packages, found.index_options) == ((), ())


def test_packages_are_parsed_from_the_prelude():
    wanted = ["pandas>=2,<4", "kfp-extra==1", "uvicorn[standard]; python_version>'3'"]
    found = parse_command(
        command_of(
            packages_to_install=wanted,
            pip_index_urls=["https://a.example/simple", "https://b.example/simple"],
            pip_trusted_hosts=["a.example"],
        )
    )
    assert set(found.packages) == set(wanted)
    assert found.index_options == (
        "--index-url",
        "https://a.example/simple",
        "--extra-index-url",
        "https://b.example/simple",
        "--trusted-host",
        "a.example",
    )


def test_kfp_package_is_never_requested():
    assert parse_command(command_of(kfp_package_path="kfp==2.0.0")).packages == ()


@pytest.mark.parametrize("command", [[], ["sh", "-c", "echo hello"], ["python3", "-m", "kfp.dsl.executor_main"]])
def test_command_of_a_container_component_is_not_parsed(command):
    assert parse_command(command) is None


def test_installed_packages_need_no_environment(tmp_path):
    environments = StepEnvironments(python=Path(sys.executable), folder=tmp_path)
    assert environments.interpreter(StepCommand(code="", packages=("pyyaml>=5",)), io.BytesIO()) == Path(sys.executable)
    assert not list(tmp_path.iterdir())


def test_missing_package_without_uv_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(step_environments, "find_uv", lambda: None)
    environments = StepEnvironments(python=Path(sys.executable), folder=tmp_path)
    with pytest.raises(StepEnvironmentError, match=r"no-such-package==1.*uv"):
        environments.interpreter(StepCommand(code="", packages=("no-such-package==1",)), io.BytesIO())


def test_failed_installation_reports_its_reason(tmp_path, monkeypatch):
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho trying\necho 'error: no such package' >&2\nexit 1\n")
    uv.chmod(0o755)
    monkeypatch.setattr(step_environments, "find_uv", lambda: str(uv))
    log = io.BytesIO()
    environments = StepEnvironments(python=Path(sys.executable), folder=tmp_path)
    with pytest.raises(StepEnvironmentError, match=r"could not install nope==1: no such package"):
        environments.interpreter(StepCommand(code="", packages=("nope==1",)), log)
    assert b"Installing nope==1" in log.getvalue()


def test_step_does_not_get_the_servers_environment_variables(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "secret")
    env = step_environ(Path("/x/bin/python"), tmp_path, {"OWN": "1"})
    assert "SECRET_KEY" not in env
    assert env["OWN"] == "1"
    assert env["HOME"] == str(tmp_path)


def test_launcher_ends_if_its_parent_has_changed(tmp_path):
    call = tmp_path / "call.json"
    call.write_text('{"arguments": [], "parent": 1}')
    launcher = Path(step_environments.__file__).with_name("step_launcher.py")
    done = subprocess.run([sys.executable, launcher, call], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert done.stderr.strip() == "the run has ended"


def test_private_kfp_function_that_the_launcher_replaces_exists():
    """If a new kfp moves it, this test must fail. Otherwise kfp's own messages would fill people's logs."""
    assert callable(executor_main._setup_logging)  # noqa: SLF001


def test_compiled_samples_match_their_sources(tmp_path):
    from localkfp.samples import SAMPLES, compiled
    from localkfp.samples.compile import compile_samples

    made = compile_samples(tmp_path)
    assert {path.name for path in made} == {compiled(name).name for name in SAMPLES}
    for path in made:
        kept = next(compiled(name) for name in SAMPLES if compiled(name).name == path.name)
        # Don't compare texts: the order of a mapping's keys differs between compilations.
        same = yaml.safe_load(path.read_text()) == yaml.safe_load(kept.read_text())
        assert same, "run python -m localkfp.samples.compile"
