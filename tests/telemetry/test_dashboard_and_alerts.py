"""The dashboard and the alerts query only metrics that `/metrics` exports, in valid PromQL."""

import json
import re
import shutil
import subprocess

import promql_parser
import pytest
import yaml
from django.conf import settings as live_settings

from apps.telemetry.metrics import (
    EVENT_STREAMS,
    HTTP_REQUESTS,
    HTTP_SECONDS,
    KUBEFLOW_ERRORS,
    KUBEFLOW_SECONDS,
)

DIRECTORY = live_settings.BASE_DIR / "deploy" / "monitoring"
DASHBOARD = json.loads((DIRECTORY / "grafana-dashboard.json").read_text())
RULES = [rule for group in yaml.safe_load((DIRECTORY / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
DOCUMENT = (live_settings.BASE_DIR / "docs" / "monitoring.md").read_text()
# Grafana replaces these before Prometheus gets the query.
FILLED_IN = {"$__rate_interval": "5m", "$environment": "base"}
# Labels that a scrape or a histogram adds.
ADDED = {"instance", "pod", "job", "le", "__name__"}
PROMTOOL = shutil.which("promtool")


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def questions():
    found = {f"panel {panel['title']} {each['refId']}": each["expr"] for panel in panels() for each in panel["targets"]}
    return found | {f"alert {rule['alert']}": rule["expr"] for rule in RULES}


def selectors(expression):
    """Returns (metric, labels of the matchers) of each vector selector in a query."""
    for name, value in FILLED_IN.items():
        expression = expression.replace(name, value)
    found = []

    def walk(node):
        if isinstance(node, promql_parser.VectorSelector):
            found.append((node.name, {matcher.name for matcher in node.matchers.matchers}))
        for attribute in ("expr", "lhs", "rhs", "args", "vector_selector", "param"):
            below = getattr(node, attribute, None)
            for each in below if isinstance(below, list) else [below]:
                if each is not None and not isinstance(each, str | int | float):
                    walk(each)

    walk(promql_parser.parse(expression))
    assert found, expression
    return found


@pytest.fixture
def exported(scrape, queue, submit, work):
    """Names and labels of all exported samples, after at least one event of each kind."""
    submit()
    work()
    queue.connection.set("vizportal:reconciled_at", "1")
    told = {"environment": "base", "machine": "m", "renders": 1, "pss_bytes": 1, "rss_bytes": 1}
    queue.connection.set("vizportal:host:m:base", json.dumps(told))
    HTTP_REQUESTS.labels("v", "GET", "200")
    HTTP_SECONDS.labels("v", "GET")
    KUBEFLOW_SECONDS.labels("default", "api")
    KUBEFLOW_ERRORS.labels("default", "down")
    EVENT_STREAMS.inc(0)
    labels = {}
    for sample in scrape().samples:
        labels.setdefault(sample.name, set()).update(sample.labels)
    return labels


@pytest.mark.django_db(transaction=True)
def test_every_query_uses_exported_metrics_and_labels(exported):
    for where, expression in questions().items():
        for name, labels in selectors(expression):
            assert name in exported, f"{where} asks for {name}"
            assert labels <= exported[name] | ADDED, f"{where} asks {name} by {labels - exported[name]}"
        # `by (...)` is not part of a selector; a wrong label there silently yields one series.
        grouped = {
            each.strip() for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for each in group.split(",")
        }
        known = set().union(*(exported[name] for name, _ in selectors(expression))) | ADDED | {""}
        assert grouped <= known, f"{where} groups by {grouped - known}"


def test_shared_metrics_are_never_summed_over_processes():
    """A sum over processes would multiply the numbers by the replicas."""
    shared = re.compile(r"vizportal_(render|queue|workers|reconciler|host|up)")
    for where, expression in questions().items():
        for part in re.split(r"\s(?:and|or|/)\s", expression):
            if shared.search(part):
                assert "max" in part or "absent" in part, f"{where}: {part}"


def test_dashboard_is_valid_for_grafana():
    assert DASHBOARD["schemaVersion"] >= 39
    assert [each["name"] for each in DASHBOARD["templating"]["list"]] == ["datasource", "environment"]
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in panels():
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
        assert all(each["datasource"] == panel["datasource"] for each in panel["targets"])
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    cells = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(cells)) == len(cells), "two panels lie over each other"
    assert max(x for x, _ in cells) == 23


def test_every_alert_has_severity_summary_and_documentation():
    for rule in RULES:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]
        assert f"`{rule['alert']}`" in DOCUMENT, rule["alert"]


@pytest.mark.django_db(transaction=True)
def test_every_metric_is_documented(scrape):
    named = set(re.findall(r"`(vizportal_\w+)`", DOCUMENT))
    shown = {name + ("_total" if family.type == "counter" else "") for name, family in scrape().families.items()}
    assert named == {name for name in shown if name.startswith("vizportal_")}


def test_every_alert_has_a_firing_and_a_silent_test_case():
    tests = yaml.safe_load((DIRECTORY / "alerts.test.yaml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    for rule in RULES:
        ends = {bool(case["exp_alerts"]) for case in cases if case["alertname"] == rule["alert"]}
        assert ends == {True, False}, rule["alert"]


# Prometheus' own tool, if installed (Debian: prometheus). Beyond the tests above it checks when alerts fire.

if PROMTOOL:

    def promtool(*arguments, cwd=DIRECTORY):
        return subprocess.run([PROMTOOL, *arguments], cwd=cwd, capture_output=True, text=True, check=False)

    def test_promtool_accepts_the_alert_rules():
        done = promtool("check", "rules", "--lint-fatal", "alerts.yaml")
        assert done.returncode == 0, done.stdout + done.stderr

    def test_promtool_test_cases_pass():
        done = promtool("test", "rules", "alerts.test.yaml")
        assert done.returncode == 0, done.stdout + done.stderr

    def test_promtool_test_cases_detect_a_changed_limit(tmp_path):
        text = (DIRECTORY / "alerts.yaml").read_text()
        (tmp_path / "alerts.yaml").write_text(text.replace("oldest_seconds) > 300", "oldest_seconds) > 30000"))
        shutil.copy(DIRECTORY / "alerts.test.yaml", tmp_path)
        assert promtool("test", "rules", "alerts.test.yaml", cwd=tmp_path).returncode != 0

    @pytest.mark.django_db(transaction=True)
    def test_promtool_accepts_the_metrics_response(client, submit, work):
        submit()
        work()
        text = client.get("/metrics").content
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, check=False)
        complaints = [line for line in done.stderr.decode().splitlines() if line.startswith("vizportal_")]
        assert not complaints, complaints
