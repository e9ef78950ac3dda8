"""A signed-in person, and a stand-in for Kubeflow behind KFP_HOST."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from apps.runs.gateway import details, gateway_for_service
from tests.runs.kubeflow import Kubeflow, serve, with_finished_run


@pytest.fixture
def kubeflow(settings):
    """A Kubeflow with one pipeline and one finished run, r1."""
    with serve(with_finished_run(Kubeflow())) as served:
        settings.KFP_HOST = served.url
        settings.KFP_TIMEOUT = 5
        yield served


@pytest.fixture
def gateway(kubeflow):
    """The gateway to it."""
    return gateway_for_service()


@pytest.fixture
def client(db):
    """A browser, signed in."""
    browser = Client()
    browser.force_login(get_user_model().objects.create_user("ada", "ada@example.org"))
    return browser


@pytest.fixture(autouse=True)
def _forget_runs(monkeypatch):
    """Finished runs are kept per process, and every stand-in has an r1."""
    monkeypatch.setattr(details, "kept_steps", details.Kept(8))
    monkeypatch.setattr(details, "kept_specs", details.Kept(8))
    monkeypatch.setattr(details, "kept_names", details.Kept(8))
