"""The purpose of each overlay: scaling by the queue, Kubeflow's gateway, gVisor, and development."""

import base64
import json
from urllib.parse import urlsplit

import pytest
from manifests import OVERLAYS, combined, containers, environ, is_portal, named, of_kind, overlay, pod, pod_labels

from apps.visualizations.environments import queue_name
from apps.visualizations.job_queue import queue_get
from tests.environments import ENVIRONMENTS


def address_of(documents, name):
    """Returns host:port of a Service with its namespace."""
    service = named(documents, "Service", name)
    (port,) = service["spec"]["ports"]
    return f"{name}.{service['metadata']['namespace']}.svc.cluster.local:{port['port']}"


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_document_is_in_the_overlays_namespace(name):
    documents = overlay(name)
    namespace = named(documents, "Deployment", "vizportal-web")["metadata"]["namespace"]
    assert namespace == {"dev": "vizportal-dev", "kubeflow": "kubeflow"}.get(name, "vizportal")
    for document in documents:
        if document["kind"] not in {"Namespace", "RuntimeClass"}:
            assert document["metadata"]["namespace"] == namespace
    # We must not change Kubeflow's own namespace.
    assert len(of_kind(documents, "Namespace")) == (0 if name == "kubeflow" else 1)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_own_namespace_enforces_the_restricted_standard(name):
    (namespace,) = of_kind(overlay(name), "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("name", OVERLAYS)
def test_autoscaled_deployments_set_no_replicas(name):
    documents = overlay(name)
    scaled = {each["spec"]["scaleTargetRef"]["name"] for each in of_kind(documents, "HorizontalPodAutoscaler")}
    scaled |= {each["spec"]["scaleTargetRef"]["name"] for each in of_kind(documents, "ScaledObject")}
    for deployment in of_kind(documents, "Deployment"):
        assert ("replicas" in deployment["spec"]) != (deployment["metadata"]["name"] in scaled)
    assert scaled <= {each["metadata"]["name"] for each in of_kind(documents, "Deployment")}


@pytest.fixture(params=["prod", "kubeflow"])
def scaled(request, tmp_path):
    return combined(tmp_path, request.param, "keda")


def test_workers_are_scaled_by_rqs_queue_lists(scaled):
    found = {each["metadata"]["name"]: each["spec"] for each in of_kind(scaled, "ScaledObject")}
    assert set(found) == {f"vizportal-worker-{key}" for key in ENVIRONMENTS.get_keys()}
    for key in ENVIRONMENTS.get_keys():
        spec = found[f"vizportal-worker-{key}"]
        assert spec["scaleTargetRef"]["name"] == f"vizportal-worker-{key}"
        (trigger,) = spec["triggers"]
        assert trigger["metadata"]["listName"] == queue_get(key).key == f"rq:queue:{queue_name(key)}"
        assert trigger["metadata"]["address"] == address_of(scaled, "vizportal-queue")
        assert named(scaled, "TriggerAuthentication", trigger["authenticationRef"]["name"])


def test_environment_without_workers_is_offered(scaled):
    """Otherwise no render would ever wait for the first worker."""
    for each in of_kind(scaled, "ScaledObject"):
        target = named(scaled, "Deployment", each["spec"]["scaleTargetRef"]["name"])
        key = pod_labels(target)["app.kubernetes.io/component"].removeprefix("worker-")
        web = named(scaled, "Deployment", "vizportal-web")
        offered = environ(scaled, pod(web)["containers"][0])["VIZPORTAL_REMOTE_ENVIRONMENTS"].split(",")
        assert key in offered
    assert named(scaled, "ScaledObject", "vizportal-worker-tfx")["spec"]["minReplicaCount"] == 0


@pytest.fixture
def behind_gateway():
    return overlay("kubeflow")


def test_custom_code_and_time_limit_are_plain_variables_as_in_kubeflow(behind_gateway):
    for deployment in filter(is_portal, of_kind(behind_gateway, "Deployment")):
        (container,) = pod(deployment)["containers"]
        entries = {entry["name"]: entry for entry in container["env"]}
        assert entries["ALLOW_CUSTOM_VISUALIZATIONS"] == {"name": "ALLOW_CUSTOM_VISUALIZATIONS", "value": "false"}
        assert entries["KERNEL_TIMEOUT"] == {"name": "KERNEL_TIMEOUT", "value": "100"}


def test_user_header_is_trusted_only_from_the_gateway(behind_gateway):
    web = named(behind_gateway, "Deployment", "vizportal-web")
    found = environ(behind_gateway, pod(web)["containers"][0])
    assert (found["VIZPORTAL_AUTH"], found["VIZPORTAL_AUTH_HEADER"]) == ("header", "kubeflow-userid")
    assert found["VIZPORTAL_TRUSTED_PROXIES"] == "127.0.0.6", "where a sidecar calls its pod from, and nobody else"
    assert pod_labels(web)["sidecar.istio.io/inject"] == "true"
    policy = named(behind_gateway, "AuthorizationPolicy", "vizportal-web-from-gateway")["spec"]
    assert policy["selector"]["matchLabels"].items() <= pod_labels(web).items()
    ((rule,),) = [policy["rules"]]
    principals = [source["source"]["principals"] for source in rule["from"]]
    assert principals == [["cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account"]]


def test_kubeflow_allows_the_portals_service_accounts(behind_gateway):
    policy = named(behind_gateway, "AuthorizationPolicy", "vizportal-to-kubeflow")["spec"]
    (allowed,) = [source["source"]["principals"] for source in policy["rules"][0]["from"]]
    for name in ("vizportal-web", "vizportal-worker-base", "vizportal-worker-tfx", "vizportal-reconciler"):
        deployment = named(behind_gateway, "Deployment", name)
        namespace, account = deployment["metadata"]["namespace"], pod(deployment)["serviceAccountName"]
        assert f"cluster.local/ns/{namespace}/sa/{account}" in allowed
        # Without a sidecar, the account would not be known.
        assert pod_labels(deployment)["sidecar.istio.io/inject"] == "true"
    (endpoint,) = json.loads(
        environ(behind_gateway, pod(deployment)["containers"][0])["VIZPORTAL_ENDPOINTS"],
    )
    assert endpoint["auth"] == "person-header"
    assert urlsplit(endpoint["host"]).hostname == "ml-pipeline-ui.kubeflow.svc.cluster.local"


def test_job_and_queue_have_no_sidecar(behind_gateway):
    for kind, name in [("Job", "migrate"), ("StatefulSet", "queue")]:
        assert pod_labels(named(behind_gateway, kind, f"vizportal-{name}"))["sidecar.istio.io/inject"] == "false"


def test_gateway_routes_to_the_portals_service(behind_gateway):
    routes = named(behind_gateway, "VirtualService", "vizportal")["spec"]["http"]
    assert "match" not in routes[-1]
    destination = routes[-1]["route"][0]["destination"]
    assert f"{destination['host']}:{destination['port']['number']}" == address_of(behind_gateway, "vizportal-web")
    (host,) = named(behind_gateway, "VirtualService", "vizportal")["spec"]["hosts"]
    found = environ(behind_gateway, pod(named(behind_gateway, "Deployment", "vizportal-web"))["containers"][0])
    assert host in found["VIZPORTAL_ALLOWED_HOSTS"].split(",")
    assert found["VIZPORTAL_TRUSTED_ORIGINS"] == f"https://{host}"


def test_ingress_routes_an_allowed_host_to_the_portal():
    documents = overlay("prod")
    spec = named(documents, "Ingress", "vizportal")["spec"]
    (rule,) = spec["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend["port"]["name"] in {
        port["name"] for port in named(documents, "Service", backend["name"])["spec"]["ports"]
    }
    found = environ(documents, pod(named(documents, "Deployment", "vizportal-web"))["containers"][0])
    assert rule["host"] in found["VIZPORTAL_ALLOWED_HOSTS"].split(",")
    assert found["VIZPORTAL_HTTPS"] == "true"
    assert found["VIZPORTAL_TRUSTED_PROXIES"] == "10.0.0.0/8", "else everybody has the ingress's address"
    assert spec["tls"][0]["hosts"] == [rule["host"]]


def test_workers_in_gvisor_do_not_allow_custom_code_without_sandbox():
    documents = overlay("gvisor")
    for deployment in of_kind(documents, "Deployment"):
        is_worker = "worker" in deployment["metadata"]["name"]
        assert pod(deployment).get("runtimeClassName") == ("gvisor" if is_worker else None)
        if is_worker:
            found = environ(documents, pod(deployment)["containers"][0])
            assert (found["VIZPORTAL_SANDBOX"], found["VIZPORTAL_CUSTOM_WITHOUT_SANDBOX"]) == ("auto", "false")
    assert named(documents, "RuntimeClass", "gvisor")["handler"] == "runsc"


def test_secrets_of_the_dev_overlay_are_consistent():
    documents = overlay("dev")
    (secret,) = of_kind(documents, "Secret")
    values = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    for key, name, password in [
        ("redis-url", "vizportal-queue", "queue-password"),
        ("database-url", "vizportal-database", "database-password"),
    ]:
        parts = urlsplit(values[key])
        assert parts.password == values[password]
        assert address_of(documents, name).startswith(f"{parts.hostname}.")
        assert address_of(documents, name).endswith(f":{parts.port}")
    options = json.loads(values["results-options"])
    assert (options["access_key"], options["secret_key"]) == (values["store-user"], values["store-password"])
    assert urlsplit(options["endpoint_url"]).hostname == "vizportal-store"
    (container,) = containers(named(documents, "StatefulSet", "vizportal-store"))
    url = environ(documents, pod(named(documents, "Deployment", "vizportal-web"))["containers"][0])
    assert f"/data/{urlsplit(url['VIZPORTAL_RESULTS_URL']).netloc} " in container["command"][2]


def test_only_the_dev_overlay_generates_secrets():
    assert [name for name in OVERLAYS if of_kind(overlay(name), "Secret")] == ["dev"]


@pytest.mark.parametrize("name", OVERLAYS)
def test_disruption_budget_allows_an_eviction(name):
    documents = overlay(name)
    for budget in of_kind(documents, "PodDisruptionBudget"):
        deployment = named(documents, "Deployment", budget["metadata"]["name"])
        least = budget["spec"].get("minAvailable", 0)
        assert name == "dev" or least < deployment["spec"].get("replicas", 2)
