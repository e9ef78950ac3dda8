"""Check which pods can reach each other, and that every selector and port of the network policies is used."""

import pytest
from manifests import (
    COMPONENT,
    NAME,
    OVERLAYS,
    combined,
    containers,
    named,
    of_kind,
    overlay,
    pod_labels,
    ports_of,
    selects,
    workloads,
)

# Foreign pods in the policies, by a label that only they have.
FOREIGN = {"k8s-app", "app", "istio"}


@pytest.fixture(params=OVERLAYS)
def documents(request):
    return overlay(request.param)


def policies(documents, direction):
    found = [each["spec"] for each in of_kind(documents, "NetworkPolicy")]
    return [spec for spec in found if direction in spec["policyTypes"] and direction.lower() in spec]


def policies_on(documents, component, direction):
    """Returns the names of the policies that allow traffic into or out of a component's pods."""
    (workload,) = [each for each in workloads(documents) if pod_labels(each)[COMPONENT] == component]
    return {
        policy["metadata"]["name"].removeprefix("vizportal-")
        for policy in of_kind(documents, "NetworkPolicy")
        if direction.lower() in policy["spec"] and selects(policy["spec"]["podSelector"], pod_labels(workload))
    }


def meant(documents, selector):
    return [each for each in workloads(documents) if selects(selector, pod_labels(each))]


def is_ours(selector):
    return not FOREIGN & set(selector.get("matchLabels", {}))


def test_default_deny_applies_to_exactly_our_pods(documents):
    deny = named(documents, "NetworkPolicy", "vizportal-default-deny")["spec"]
    assert deny == {"podSelector": {"matchLabels": {NAME: "vizportal"}}, "policyTypes": ["Ingress", "Egress"]}
    assert meant(documents, deny["podSelector"]) == workloads(documents)


def test_every_selector_means_a_pod(documents):
    for workload in of_kind(documents, "Deployment", "StatefulSet"):
        assert workload in meant(documents, workload["spec"]["selector"])
        assert len(meant(documents, workload["spec"]["selector"])) == 1
    for service in of_kind(documents, "Service"):
        assert len(meant(documents, {"matchLabels": service["spec"]["selector"]})) == 1
    for budget in of_kind(documents, "PodDisruptionBudget"):
        assert len(meant(documents, budget["spec"]["selector"])) == 1
    for policy in of_kind(documents, "NetworkPolicy"):
        assert meant(documents, policy["spec"]["podSelector"])
    for spec in policies(documents, "Ingress"):
        peers = [peer["podSelector"] for rule in spec["ingress"] for peer in rule["from"] if "podSelector" in peer]
        assert all(meant(documents, peer) for peer in peers if is_ours(peer))


def test_every_policy_names_its_ports(documents):
    for direction in ("Ingress", "Egress"):
        for spec in policies(documents, direction):
            assert all(rule["ports"] for rule in spec[direction.lower()])


def test_what_is_let_in_is_listened_for(documents):
    for spec in policies(documents, "Ingress"):
        open_ports = {port["port"] for rule in spec["ingress"] for port in rule["ports"]}
        listened = set().union(*(ports_of(each).values() for each in meant(documents, spec["podSelector"])))
        assert open_ports <= listened


def test_what_a_service_leads_to_may_be_reached_there(documents):
    for service in of_kind(documents, "Service"):
        (workload,) = meant(documents, {"matchLabels": service["spec"]["selector"]})
        let_in = {
            port["port"]
            for spec in policies(documents, "Ingress")
            if selects(spec["podSelector"], pod_labels(workload))
            for rule in spec["ingress"]
            for port in rule["ports"]
        }
        for port in service["spec"]["ports"]:
            number = ports_of(workload)[port["targetPort"]]
            if service["metadata"]["name"] == "vizportal-web" and not let_in:
                # It is reached only with `kubectl port-forward`, which comes from the node.
                assert service["metadata"]["namespace"] == "vizportal-dev"
            else:
                assert number in let_in


def is_let_in(documents, source, target, port):
    for spec in policies(documents, "Ingress"):
        if not selects(spec["podSelector"], pod_labels(target)):
            continue
        for rule in spec["ingress"]:
            froms = [peer.get("podSelector") for peer in rule["from"] if "namespaceSelector" not in peer]
            if port in [each["port"] for each in rule["ports"]] and any(
                selector is not None and selects(selector, pod_labels(source)) for selector in froms
            ):
                return True
    return False


def test_who_may_go_out_to_a_pod_of_ours_is_let_in_there(documents):
    seen = 0
    for spec in policies(documents, "Egress"):
        for rule in spec["egress"]:
            for peer in rule["to"]:
                if "podSelector" not in peer or not is_ours(peer["podSelector"]):
                    continue
                targets = meant(documents, peer["podSelector"])
                assert targets
                for source in meant(documents, spec["podSelector"]):
                    for port in rule["ports"]:
                        assert all(is_let_in(documents, source, target, port["port"]) for target in targets)
                        seen += 1
    assert seen


STATE = {"to-dns", "to-queue", "to-database", "to-store"}


@pytest.mark.parametrize("name", ["prod", "keda", "gvisor"])
def test_workers_reach_only_database_queue_store_and_kubeflow(name):
    documents = overlay(name)
    for component in ("web", "worker-base", "worker-tfx", "reconciler"):
        assert policies_on(documents, component, "Egress") == STATE | {"to-kubeflow"}
    assert policies_on(documents, "migrate", "Egress") == STATE
    for component in ("reconciler", "migrate"):
        assert policies_on(documents, component, "Ingress") == set()
    for component in ("worker-base", "worker-tfx"):
        assert policies_on(documents, component, "Ingress") == {"metrics-from-monitoring"}
    assert policies_on(documents, "web", "Ingress") == {"web-from-ingress", "metrics-from-monitoring"}
    assert policies_on(documents, "queue", "Egress") == {"to-dns"}


def test_store_egress_excludes_private_addresses():
    (rule,) = named(overlay("prod"), "NetworkPolicy", "vizportal-to-store")["spec"]["egress"]
    (peer,) = rule["to"]
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= set(peer["ipBlock"]["except"])


def test_only_kubeflows_gateway_reaches_web():
    documents = overlay("kubeflow")
    assert policies_on(documents, "web", "Ingress") == {"web-from-gateway"}
    assert policies_on(documents, "worker-base", "Egress") == STATE | {"to-kubeflow", "to-mesh"}
    assert policies_on(documents, "worker-base", "Ingress") == set()


def test_only_kubeflows_api_server_reaches_the_visualization_service(tmp_path):
    documents = combined(tmp_path, "kubeflow", "visualization-service")
    assert policies_on(documents, "kfp-service", "Ingress") == {"kfp-service-from-kubeflow"}
    (rule,) = named(documents, "NetworkPolicy", "vizportal-kfp-service-from-kubeflow")["spec"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": {"app": "ml-pipeline"}}}]
    service = named(documents, "Service", "ml-pipeline-visualizationserver")
    assert [port["port"] for port in service["spec"]["ports"]] == [8888]
    test_every_selector_means_a_pod(documents)
    test_what_a_service_leads_to_may_be_reached_there(documents)


def test_localkfp_in_the_dev_overlay_has_no_egress():
    documents = overlay("dev")
    assert policies_on(documents, "localkfp", "Egress") == {"to-dns"}
    (container,) = containers(named(documents, "Deployment", "vizportal-localkfp"))
    assert [entry["name"] for entry in container["env"]] == ["VIZPORTAL_LOCALKFP_TOKEN_FILE"]
    assert "envFrom" not in container


def test_policy_for_an_unused_port_is_detected():
    documents = overlay("prod")
    policy = named(documents, "NetworkPolicy", "vizportal-queue-from-portal")["spec"]
    policy["ingress"][0]["ports"][0]["port"] = 6380
    for check in (test_what_is_let_in_is_listened_for, test_who_may_go_out_to_a_pod_of_ours_is_let_in_there):
        with pytest.raises(AssertionError):
            check(documents)


def test_selector_without_matching_pod_is_detected():
    documents = overlay("prod")
    named(documents, "Service", "vizportal-web")["spec"]["selector"][COMPONENT] = "wbe"
    with pytest.raises(AssertionError):
        test_every_selector_means_a_pod(documents)
