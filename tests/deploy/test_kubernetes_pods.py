"""The pods' security contexts, settings, secrets, probes and grace periods."""

import json
import os
import re
import subprocess
import sys
from itertools import pairwise

import pytest
from django.core.management import get_commands
from django.urls import resolve
from manifests import (
    OVERLAYS,
    combined,
    containers,
    environ,
    is_portal,
    named,
    of_kind,
    overlay,
    pod,
    pod_labels,
    ports_of,
    workloads,
)
from settings_rows import unknown_settings

from apps.visualizations.services.lease import GRACE
from vizportal.settings import BASE_DIR

SECRETS = {
    "secret-key": "only-for-this-test-only-for-this-test-only-for-this-test-0123456789",
    "database-url": "postgres://vizportal:x@127.0.0.1:1/vizportal",
    "redis-url": "redis://:x@127.0.0.1:1/0",
    "results-options": '{"endpoint_url": "http://127.0.0.1:1", "access_key": "x", "secret_key": "x"}',
    "localkfp-token": "x",
    "metrics-token": "x",
}
UNITS = {"Mi": 2**20, "Gi": 2**30}


@pytest.fixture(params=OVERLAYS)
def documents(request):
    return overlay(request.param)


def bytes_of(quantity):
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


def test_every_pod_meets_the_restricted_standard(documents):
    for workload in workloads(documents):
        context = pod(workload)["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod(workload))
        for volume in pod(workload).get("volumes", []):
            assert set(volume) - {"name"} <= {"emptyDir", "secret", "configMap"}
        for container in containers(workload):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_no_pod_has_a_kubernetes_token(documents):
    accounts = {account["metadata"]["name"]: account for account in of_kind(documents, "ServiceAccount")}
    assert all(account["automountServiceAccountToken"] is False for account in accounts.values())
    for workload in workloads(documents):
        assert pod(workload)["automountServiceAccountToken"] is False
        assert pod(workload).get("serviceAccountName", "vizportal-web") in accounts


def test_every_container_has_resource_limits_and_an_image_version(documents):
    for workload in workloads(documents):
        for container in containers(workload):
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]
            assert re.search(r"(:[\w.-]*\d[\w.-]*|@sha256:[0-9a-f]{64})$", container["image"]), container["image"]


@pytest.mark.parametrize("name", ["prod", "keda", "gvisor"])
def test_production_images_have_digests(name):
    for workload in workloads(overlay(name)):
        assert all("@sha256:" in container["image"] for container in containers(workload))


def test_every_setting_is_documented(documents):
    assert unknown_settings(settings_of(documents)) == set()


def settings_of(documents):
    found = [
        environ(documents, container)
        for workload in workloads(documents)
        for container in containers(workload)
        if "vizportal-" in container["image"]
    ]
    return set().union(*found)


def test_unknown_setting_is_detected():
    documents = overlay("prod")
    (container,) = pod(named(documents, "Deployment", "vizportal-web"))["containers"]
    container["env"].append({"name": "ALLOW_CUSTOM_VISUALISATIONS", "value": "true"})
    assert unknown_settings(settings_of(documents)) == {"ALLOW_CUSTOM_VISUALISATIONS"}


def check_settings(documents, workload, tmp_path):
    """Runs the portal's checks with a pod's settings and with secret files of the test."""
    (container,) = pod(workload)["containers"]
    found = environ(documents, container)
    for name in [name for name in found if name.endswith("_FILE")]:
        path = tmp_path / found[name].rpartition("/")[2]
        path.write_text(SECRETS[path.name])
        found[name] = str(path)
    places = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        env={**places, **found, "VIZPORTAL_DATA_DIR": str(tmp_path / "data")},
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["dev", "prod", "kubeflow"])
@pytest.mark.slow
def test_portal_starts_with_the_settings_of_its_pods(name, tmp_path):
    documents = overlay(name)
    done = check_settings(documents, named(documents, "Deployment", "vizportal-web"), tmp_path)
    assert done.returncode == 0, done.stderr


def test_invalid_setting_value_is_detected(tmp_path):
    documents = overlay("kubeflow")
    web = named(documents, "Deployment", "vizportal-web")
    pod(web)["containers"][0]["env"].append({"name": "VIZPORTAL_TRUSTED_PROXIES", "value": "the sidecar"})
    done = check_settings(documents, web, tmp_path)
    assert done.returncode != 0
    assert "VIZPORTAL_TRUSTED_PROXIES" in done.stderr


def secret_keys(documents):
    """Yields (Secret's name, key) of every value that pods and KEDA read from a Secret."""
    for workload in workloads(documents):
        for volume in pod(workload).get("volumes", []):
            for item in volume.get("secret", {}).get("items", []):
                yield volume["secret"]["secretName"], item["key"]
    for authentication in of_kind(documents, "TriggerAuthentication"):
        for each in authentication["spec"]["secretTargetRef"]:
            yield each["name"], each["key"]


def test_every_secret_key_exists_or_is_documented(documents):
    made = {secret["metadata"]["name"]: set(secret["data"]) for secret in of_kind(documents, "Secret")}
    page = (BASE_DIR / "docs" / "kubernetes.md").read_text()
    documented = set(re.findall(r"^ *\| `([a-z-]+)` \|", page, re.MULTILINE))
    keys = set(secret_keys(documents))
    assert keys
    for name, key in keys:
        assert key in made.get(name, documented), f"{name}: {key}"
        assert name in made or name == "vizportal"


def test_a_file_that_a_setting_names_is_mounted(documents):
    for workload in workloads(documents):
        volumes = {volume["name"]: volume for volume in pod(workload).get("volumes", [])}
        for container in containers(workload):
            mounted = {
                f"{mount['mountPath']}/{item['path']}"
                for mount in container.get("volumeMounts", [])
                for item in volumes.get(mount["name"], {}).get("secret", {}).get("items", [])
            }
            words = [*container.get("command", []), *environ(documents, container).values()]
            assert {word for word in words if word.startswith("/run/secrets/")} <= mounted


def test_settings_and_command_lines_contain_no_secrets(documents):
    for workload in workloads(documents):
        for container in containers(workload):
            names = [entry["name"] for entry in container.get("env", [])]
            assert not [name for name in names if re.search(r"(KEY|PASSWORD|TOKEN|SECRET|_URL|OPTIONS)$", name)]
            assert "only-for-development" not in json.dumps(container)


def test_commands_of_the_pods_exist(documents):
    seen = set()
    for workload in filter(is_portal, workloads(documents)):
        for container in containers(workload):
            words = " ".join(container.get("command", [])).replace(";", " ").split()
            seen |= {after for word, after in pairwise(words) if word == "manage.py"}
    assert {"migrate", "reconcile"} <= seen <= set(get_commands())


def probes(workload):
    (container,) = pod(workload)["containers"]
    return {name: container[name] for name in ("startupProbe", "readinessProbe", "livenessProbe") if name in container}


def test_every_permanent_pod_is_probed_at_an_existing_port(documents):
    for workload in of_kind(documents, "Deployment", "StatefulSet"):
        found = probes(workload)
        assert "readinessProbe" in found or pod_labels(workload)["app.kubernetes.io/component"] == "reconciler"
        if is_portal(workload):
            assert {"startupProbe", "livenessProbe"} <= set(found)
        for probe in found.values():
            assert "exec" in probe or probe["httpGet"]["port"] in ports_of(workload)


def test_database_affects_readiness_but_not_liveness(documents):
    web = named(documents, "Deployment", "vizportal-web")
    found = probes(web)
    assert [found[name]["httpGet"]["path"] for name in found] == ["/healthz", "/readyz", "/healthz"]
    assert all(resolve(probe["httpGet"]["path"]) for probe in found.values())
    hosts = environ(documents, pod(web)["containers"][0])["VIZPORTAL_ALLOWED_HOSTS"].split(",")
    for probe in found.values():
        (header,) = probe["httpGet"]["httpHeaders"]
        assert header["name"] == "Host"
        assert header["value"] in hosts


def workers(documents):
    return [each for each in of_kind(documents, "Deployment") if "worker" in each["metadata"]["name"]]


def too_short(documents):
    """Yields the names of workers that would be killed during the longest render."""
    for worker in workers(documents):
        timeout_s = int(environ(documents, pod(worker)["containers"][0])["KERNEL_TIMEOUT"])
        if pod(worker)["terminationGracePeriodSeconds"] <= timeout_s + GRACE.total_seconds():
            yield worker["metadata"]["name"]


def test_grace_period_is_longer_than_the_longest_render(documents):
    assert len(workers(documents)) == 2
    assert list(too_short(documents)) == []


def test_too_short_grace_period_is_detected():
    documents = overlay("kubeflow")
    (container,) = pod(named(documents, "Deployment", "vizportal-worker-tfx"))["containers"]
    (entry,) = [entry for entry in container["env"] if entry["name"] == "KERNEL_TIMEOUT"]
    entry["value"] = "600"
    assert list(too_short(documents)) == ["vizportal-worker-tfx"]


def test_memory_limit_of_renders_is_below_that_of_the_worker(documents):
    for worker in workers(documents):
        (container,) = pod(worker)["containers"]
        most = int(environ(documents, container)["VIZPORTAL_MAX_RENDER_MEMORY_BYTES"])
        assert most < bytes_of(container["resources"]["limits"]["memory"])


def test_upgrade_starts_new_pods_before_it_stops_old_ones(documents):
    for name in ("vizportal-web", "vizportal-worker-base", "vizportal-worker-tfx"):
        rolling = named(documents, "Deployment", name)["spec"]["strategy"]["rollingUpdate"]
        assert rolling == {"maxUnavailable": 0, "maxSurge": 1}
    for workload in filter(is_portal, of_kind(documents, "Deployment")):
        (waiting,) = pod(workload)["initContainers"]
        assert "migrate --check" in waiting["command"][2]
        assert waiting["image"] == pod(workload)["containers"][0]["image"]


@pytest.mark.slow
def test_added_component_meets_the_same_rules(tmp_path):
    documents = combined(tmp_path, "kubeflow", "visualization-service")
    service = named(documents, "Deployment", "vizportal-kfp-service")
    test_every_pod_meets_the_restricted_standard(documents)
    test_every_setting_is_documented(documents)
    test_a_file_that_a_setting_names_is_mounted(documents)
    assert check_settings(documents, service, tmp_path).returncode == 0
