"""The image and the compose file, read as text: what can be known of them without a container engine."""

import re
import shlex
import sys
from itertools import pairwise

import pytest
import yaml
from django.core.management import get_commands
from django.utils.module_loading import import_string

from vizportal.settings import BASE_DIR

COMPOSE = yaml.safe_load((BASE_DIR / "deploy" / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILE = (BASE_DIR / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
FINAL_STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
OURS = sorted(name for name, service in SERVICES.items() if service["image"].startswith("vizportal:"))


def words_of(service):
    """A service's command, the commands inside `sh -c` among them."""
    command = service["command"]
    return shlex.split(command[2].replace("&&", " && ")) if command[:2] == ["sh", "-c"] else command


def test_there_is_a_service_for_every_process():
    assert set(SERVICES) == {"queue", "migrate", "web", "worker", "reconciler", "kubeflow"}
    assert SERVICES["kubeflow"]["profiles"] == ["embedded"]
    assert all("profiles" not in service for name, service in SERVICES.items() if name != "kubeflow")


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service.get("user") not in {"root", "0", 0}


@pytest.mark.parametrize("name", SERVICES)
def test_every_lasting_service_says_whether_it_is_well(name):
    check = SERVICES[name].get("healthcheck")
    if name == "migrate":
        assert check == {"disable": True}
    elif name == "web":
        assert check is None, "web is checked as the image says"
    else:
        assert check["test"][0] == "CMD"


def test_a_worker_may_finish_its_render():
    assert SERVICES["worker"]["stop_grace_period"] == "2m"
    assert SERVICES["worker"]["environment"]["KERNEL_TIMEOUT"] == "${KERNEL_TIMEOUT:-100}"


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_a_command_line(name):
    words = [*SERVICES[name]["command"], *SERVICES[name].get("healthcheck", {}).get("test", [])]
    assert not [word for word in words if "$" in word]


def test_the_embedded_kubeflow_shares_its_token_and_nothing_else_with_the_portal():
    token = "${KFP_EXISTING_TOKEN:-}"
    assert SERVICES["kubeflow"]["environment"] == {"VIZPORTAL_LOCALKFP_TOKEN": token}
    assert SERVICES["kubeflow"]["volumes"] == ["kubeflow:/data"]
    port = SERVICES["kubeflow"]["command"][SERVICES["kubeflow"]["command"].index("--port") + 1]
    for name in ("web", "worker", "reconciler"):
        assert SERVICES[name]["environment"]["KFP_EXISTING_TOKEN"] == token
        assert SERVICES[name]["environment"]["KFP_HOST"] == f"${{KFP_HOST:-http://kubeflow:{port}}}"


@pytest.mark.parametrize("name", OURS)
def test_what_is_written_goes_to_a_volume_the_image_made_for_its_user(name):
    places = {volume.partition(":")[2] for volume in SERVICES[name]["volumes"]}
    assert places == {"/data"}
    assert {volume.partition(":")[0] for volume in SERVICES[name]["volumes"]} <= set(COMPOSE["volumes"])
    assert re.search(r"useradd --uid 10001 .*--home-dir /data", FINAL_STAGE)


@pytest.mark.parametrize("name", OURS)
def test_the_commands_named_exist(name):
    words = words_of(SERVICES[name])
    subcommands = [after for word, after in pairwise(words) if word == "manage.py"]
    assert set(subcommands) <= set(get_commands())
    dotted = [word.replace(":", ".") for word in words if re.fullmatch(r"(apps|vizportal|rq)(\.\w+)+(:\w+)?", word)]
    assert subcommands or dotted
    for each in dotted:
        assert import_string(f"{each}.__main__.main" if each == "apps.localkfp" else each)


def test_the_embedded_kubeflow_knows_its_options(monkeypatch):
    from apps.localkfp import __main__ as localkfp

    monkeypatch.setattr(sys, "argv", SERVICES["kubeflow"]["command"][2:])
    options = localkfp._options()
    assert (options.host, options.port, options.samples) == ("0.0.0.0", 8001, True)


def test_the_image_runs_as_nobody_special_and_says_whether_it_is_well():
    user = re.findall(r"^USER (\S+)", FINAL_STAGE, re.MULTILINE)
    assert user == ["10001"]
    assert FINAL_STAGE.index("USER 10001") > FINAL_STAGE.index("RUN ")
    assert "HEALTHCHECK" in FINAL_STAGE
    assert "/healthz" in FINAL_STAGE
    assert 'CMD ["python", "manage.py", "up"]' in FINAL_STAGE
    assert not re.search(r"(SECRET|TOKEN|PASSWORD)", FINAL_STAGE)


def test_what_the_image_copies_is_there_and_not_ignored():
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert {"pyproject.toml", "uv.lock", "apps", "vizportal", "manage.py"} <= set(sources)
    kept = {line[1:] for line in (BASE_DIR / ".dockerignore").read_text().split() if line.startswith("!")}
    for source in sources:
        assert (BASE_DIR / source).exists()
        assert source in kept


def test_the_image_has_the_uv_that_the_project_pins():
    pinned = re.search(r"uv==([\d.]+)", (BASE_DIR / "pyproject.toml").read_text())[1]
    assert f"uv=={pinned}" in DOCKERFILE
    assert f"UV_VERSION := {pinned}" in (BASE_DIR / "Makefile").read_text()
