"""The users and servers of tests/visualizations, and a parser for responses of `/metrics`."""

import socket

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from apps.telemetry.metrics import REGISTRY
from tests.visualizations.conftest import (  # noqa: F401  (fixtures)
    admin,
    browser,
    events,
    kernel,
    kubeflow,
    no_queue,
    owner,
    queue,
    reader,
    row,
    submit,
    valkey_url,
    work,
)


class Scrape:
    """A response of `/metrics`."""

    def __init__(self, text):
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def value(self, name, **labels):
        """Returns the only sample with at least these labels, or None."""
        found = [each.value for each in self.samples if each.name == name and labels.items() <= each.labels.items()]
        assert len(found) <= 1, (name, labels, found)
        return found[0] if found else None

    def labels(self, name):
        return [each.labels for each in self.samples if each.name == name]


@pytest.fixture
def scrape():
    def ask():
        response = Client().get("/metrics")
        assert response.status_code == 200, response.content
        return Scrape(response.content.decode())

    return ask


@pytest.fixture
def own():
    """Returns how much a metric of this process has grown since the test began."""
    before = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
    }

    def grown(name, **labels):
        key = (name, tuple(sorted(labels.items())))
        return (REGISTRY.get_sample_value(name, labels) or 0) - before.get(key, 0)

    return grown


@pytest.fixture
def unused_port():
    """A local port that no process listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
