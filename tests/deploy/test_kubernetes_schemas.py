"""Every overlay builds and strictly matches the schemas of Kubernetes, KEDA and Istio. Planted mistakes are found."""

import jsonschema
import kubernetes_validate
import pytest
from manifests import KUBERNETES, OVERLAYS, combined, kustomize, named, overlay, validate

INVALID = (jsonschema.ValidationError, kubernetes_validate.ValidationError)


def test_all_overlays_are_found():
    assert OVERLAYS == ["dev", "gvisor", "keda", "kubeflow", "prod"]


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.slow
def test_overlay_builds_and_every_document_is_valid(name):
    documents = overlay(name)
    assert len(documents) > 25
    for document in documents:
        validate(document)


@pytest.mark.parametrize(
    ("name", "component"),
    [("kubeflow", "visualization-service"), ("kubeflow", "keda"), ("kubeflow", "gvisor"), ("dev", "gvisor")],
)
@pytest.mark.slow
def test_components_can_be_combined_with_other_overlays(name, component, tmp_path):
    for document in combined(tmp_path, name, component):
        validate(document)


def plant(document, path, value):
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = value


POD = ("spec", "template", "spec")


@pytest.mark.parametrize(
    ("name", "kind", "what", "path", "value"),
    [
        ("prod", "Deployment", "vizportal-worker-base", ("spec", "replica"), 2),
        ("prod", "Deployment", "vizportal-web", (*POD, "terminationGracePeriodSecond"), 30),
        ("prod", "Deployment", "vizportal-web", (*POD, "containers", 0, "livenessProbe", "httpGet", "paht"), "/"),
        ("prod", "Deployment", "vizportal-web", (*POD, "containers", 0, "env", 0, "vale"), "x"),
        ("prod", "Deployment", "vizportal-web", (*POD, "containers", 0, "securityContext", "readOnlyRootFS"), True),
        ("prod", "Deployment", "vizportal-web", ("spec", "replicas"), "two"),
        ("prod", "HorizontalPodAutoscaler", "vizportal-web", ("spec", "maxReplica"), 3),
        ("prod", "Ingress", "vizportal", ("spec", "tls", 0, "secret"), "x"),
        ("prod", "NetworkPolicy", "vizportal-to-queue", ("spec", "egress", 0, "port"), []),
        ("prod", "PodDisruptionBudget", "vizportal-web", ("spec", "minAvailabel"), 1),
        ("gvisor", "RuntimeClass", "gvisor", ("handlers",), "runsc"),
        ("keda", "ScaledObject", "vizportal-worker-tfx", ("spec", "minReplicas"), 0),
        ("keda", "ScaledObject", "vizportal-worker-tfx", ("spec", "triggers", 0, "metadata", "list"), "x"),
        ("keda", "ScaledObject", "vizportal-worker-tfx", ("spec", "triggers", 0, "metadata", "listLength"), 1),
        ("keda", "ScaledObject", "vizportal-worker-tfx", ("spec", "triggers", 0, "type"), "rediss"),
        ("keda", "TriggerAuthentication", "vizportal-queue", ("spec", "secretRef"), []),
        ("kubeflow", "VirtualService", "vizportal", ("spec", "http", 0, "routes"), []),
        ("kubeflow", "AuthorizationPolicy", "vizportal-to-kubeflow", ("spec", "rules", 0, "form"), []),
        ("kubeflow", "AuthorizationPolicy", "vizportal-to-kubeflow", ("spec", "action"), "ALLOWED"),
    ],
)
def test_wrong_field_is_detected(name, kind, what, path, value):
    document = named(overlay(name), kind, what)
    validate(document)
    plant(document, path, value)
    with pytest.raises(INVALID):
        validate(document)


def test_unknown_kind_is_detected():
    document = {"apiVersion": "example.com/v1", "kind": "Unheard", "metadata": {"name": "x"}}
    with pytest.raises(kubernetes_validate.SchemaNotFoundError):
        validate(document)


def test_unknown_kustomization_field_is_detected(tmp_path):
    (tmp_path / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresource: []\n"
    )
    with pytest.raises(AssertionError, match="resource"):
        kustomize(tmp_path)


@pytest.mark.parametrize("path", sorted(KUBERNETES.rglob("kustomization.yaml")), ids=lambda path: path.parent.name)
def test_every_file_of_a_kustomization_is_used(path):
    text = path.read_text()
    others = {each.name for each in path.parent.iterdir() if each.is_file()} - {"kustomization.yaml"}
    assert [name for name in others if name not in text] == []
