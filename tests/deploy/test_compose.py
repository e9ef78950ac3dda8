"""The compose file is valid, hardened, and consistent with the images."""

import json
import re
from pathlib import Path

import compose_spec
import pytest
import yaml
from settings_rows import unknown_settings

from apps.visualizations.services.lease import GRACE
from vizportal.settings import BASE_DIR

PATH = BASE_DIR / "deploy" / "compose.yaml"
COMPOSE = yaml.safe_load(PATH.read_text())
SERVICES = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"].startswith("vizportal-"))
PORTAL = sorted(set(OURS) - {"kubeflow"})


def interpolated(document):
    """Returns the document with its variables' defaults, as Compose does."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", json.dumps(document)).replace("$$", "\0")
    assert "$" not in text.replace('"$(find', ""), "a variable without a default"
    return json.loads(text.replace("\0", "$"))


def check(document):
    """Raises ValueError if the document violates the specification or uses an undefined name."""
    compose_spec.PyCompose.from_yaml(yaml.safe_dump(interpolated(document))).validate()


def test_compose_file_is_valid():
    check(COMPOSE)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("services", "web", "replica"), 2),
        (("services", "web", "secrets"), ["nobodys"]),
        (("services", "queue", "healthcheck", "intervall"), "5s"),
        (("services", "worker-base", "stop_grace_period"), "soon"),
        (("services", "web", "depends_on", "queue", "condition"), "service_health"),
        (("volume",), {}),
    ],
)
def test_planted_mistake_is_detected(path, value):
    document = json.loads(json.dumps(COMPOSE))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ValueError, match=r"."):
        check(document)


def test_every_process_has_a_service():
    processes = {"migrate", "web", "worker-base", "worker-tfx", "reconciler", "kubeflow"}
    assert set(SERVICES) == processes | {"queue", "database", "store"}
    profiles = {name: service.get("profiles") for name, service in SERVICES.items() if "profiles" in service}
    assert profiles == {"kubeflow": ["embedded"], "worker-tfx": ["tfx"]}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert service.get("user") not in {"root", "0", 0}
    assert re.search(r":[\w.-]*\d", service["image"]), "a version"


@pytest.mark.parametrize("name", OURS)
def test_image_is_built_from_the_target_of_its_name(name):
    target = SERVICES[name]["build"]["target"]
    assert SERVICES[name]["image"].startswith(f"vizportal-{target}:")
    assert f" AS {target}\n" in (BASE_DIR / "deploy" / "Dockerfile").read_text()
    assert SERVICES[name]["init"] is True


@pytest.mark.parametrize("name", SERVICES)
def test_every_permanent_service_has_a_health_check(name):
    found = SERVICES[name].get("healthcheck")
    if name == "migrate":
        assert found == {"disable": True}
    elif name in {"web", "worker-base", "worker-tfx", "kubeflow"}:
        assert found is None, "checked as the image says"
    else:
        assert found["test"][0] in {"CMD", "CMD-SHELL"}


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_only_from_files(name):
    service = SERVICES[name]
    words = [*service.get("command", []), *service.get("entrypoint", [])]
    assert not [word for word in words if "$" in word]
    environ = service.get("environment", {})
    assert not [each for each in environ if re.search(r"(KEY|PASSWORD|TOKEN|SECRET|OPTIONS|BASE_URL|REDIS_URL)$", each)]
    files = {value for value in [*environ.values(), *words] if value.startswith("/run/secrets/")}
    assert {path.removeprefix("/run/secrets/") for path in files} == set(service.get("secrets", []))


def test_script_creates_every_secret():
    script = (BASE_DIR / "deploy" / "make-secrets.sh").read_text()
    for name, secret in COMPOSE["secrets"].items():
        assert secret["file"] == f"./secrets/{name}"
        assert re.search(rf"^\s*put {name} ", script, re.MULTILINE)
    assert "deploy/secrets/" in (BASE_DIR / ".gitignore").read_text().split()


def test_queue_script_is_the_one_for_kubernetes():
    path = PATH.parent / COMPOSE["configs"]["queue"]["file"]
    assert path.resolve() == Path(BASE_DIR / "deploy" / "kubernetes" / "base" / "queue.sh")


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_documented(name):
    assert unknown_settings(set(SERVICES[name]["environment"])) == set()


def test_embedded_kubeflow_shares_only_its_token_with_the_portal():
    assert SERVICES["kubeflow"]["environment"] == {"VIZPORTAL_LOCALKFP_TOKEN_FILE": "/run/secrets/kubeflow-token"}
    assert SERVICES["kubeflow"]["volumes"] == ["kubeflow:/data"]
    for name in PORTAL:
        environ = SERVICES[name]["environment"]
        assert environ["KFP_EXISTING_TOKEN_FILE"] == "/run/secrets/kubeflow-token"
        assert environ["KFP_HOST"] == "${KFP_HOST:-http://kubeflow:8001}"


@pytest.mark.parametrize("name", PORTAL)
def test_containers_share_no_files(name):
    assert SERVICES[name]["volumes"] == ["/data"], "a volume of its own, which the image made for its user"
    assert SERVICES[name]["tmpfs"] == ["/tmp"]


def test_grace_period_is_longer_than_the_longest_render():
    for name in ("worker-base", "worker-tfx"):
        minutes = int(SERVICES[name]["stop_grace_period"].removesuffix("m"))
        timeout_s = int(interpolated(SERVICES[name])["environment"]["KERNEL_TIMEOUT"])
        assert minutes * 60 > timeout_s + GRACE.total_seconds()


def test_portal_starts_after_the_migration():
    assert SERVICES["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    for name in set(PORTAL) - {"migrate"}:
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
