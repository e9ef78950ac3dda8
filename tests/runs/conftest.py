"""Fixtures: a signed-in user, and a fake Kubeflow at KFP_HOST."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from apps.runs.gateway import details, gateway_for_service, request_metrics
from apps.runs.gateway.silence import Silences
from tests.chromium import chromium
from tests.runs.kubeflow import Kubeflow, with_finished_run
from tests.runs.kubeflow_server import serve
from tests.runs.s3 import s3_server


@pytest.fixture
def kubeflow(settings):
    """Serves a fake Kubeflow with one pipeline and one finished run, r1."""
    with serve(with_finished_run(Kubeflow())) as served:
        settings.KFP_HOST = served.url
        settings.KFP_TIMEOUT = 5
        yield served


@pytest.fixture
def gateway(kubeflow):
    """Returns the gateway to the fake Kubeflow."""
    return gateway_for_service()


@pytest.fixture
def client(db):
    """Returns a signed-in test client."""
    browser = Client()
    browser.force_login(get_user_model().objects.create_user("ada", "ada@example.org"))
    return browser


@pytest.fixture(scope="module")
def s3():
    """Returns the address of an S3 API with a bucket."""
    with s3_server() as url:
        yield url


@pytest.fixture
def configure(settings):
    """Sets VIZPORTAL_OBJECT_STORES."""

    def write(*listed):
        settings.VIZPORTAL_OBJECT_STORES = json.dumps(listed)

    return write


@pytest.fixture(autouse=True)
def _forget_runs(monkeypatch):
    """Clears the process's cache of finished runs, since every fake Kubeflow has an r1."""
    monkeypatch.setattr(details, "kept_steps", details.Kept(8))
    monkeypatch.setattr(details, "kept_specs", details.Kept(8))
    monkeypatch.setattr(details, "kept_names", details.Kept(8))
    monkeypatch.setattr(details, "kept_experiments", details.Kept(8))
    monkeypatch.setattr(request_metrics, "silences", own := Silences())
    monkeypatch.setattr("apps.runs.gateway.silences", own)
    monkeypatch.setattr("apps.runs.gateway.plugins.known_servers", {})


@pytest.fixture(scope="module")
def browser():
    """Starts Chromium."""
    with chromium() as launched:
        yield launched


@pytest.fixture(params=["light", "dark"])
def theme(request):
    """Returns the user's theme. A module can override this fixture."""
    return request.param


@pytest.fixture
def viewport():
    """Returns the size of the page's window."""
    return {"width": 1280, "height": 720}


@pytest.fixture
def page(theme, viewport, browser, live_server, client, kubeflow):
    """Opens a page for a signed-in user. A console error or a failed request to another host fails the test."""
    context = browser.new_context(base_url=live_server.url, color_scheme=theme, viewport=viewport)
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    opened = context.new_page()
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda line: troubles.append(f"{line.text} {line.location}") if line.type == "error" else None)
    opened.on("requestfailed", lambda sent: troubles.append(sent.url) if _leaves(sent.url, live_server) else None)
    yield opened
    context.close()
    assert troubles == []


def _leaves(url, live_server):
    return url.startswith("http") and not url.startswith(live_server.url)
