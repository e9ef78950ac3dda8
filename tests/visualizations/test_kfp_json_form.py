"""The JSON variant of Kubeflow's visualization protocol on the portal."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client

from apps.visualizations.models import Visualization
from tests.callers import token_of
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/apis/v1beta1/visualizations/team-a"


@pytest.fixture
def ask(owner, browser, queue, work, kernel, settings):
    """Posts JSON as the owner while a worker works, and returns the response."""
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True

    def send(body, *, client=None, path=PATH, **headers):
        client = client or browser(owner)
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(client.post, path, json.dumps(body), content_type="application/json", headers=headers)
            wait_until(lambda: queue.count or sent.done(), 20, "the request")
            work()
            return sent.result(20)

    return send


@pytest.mark.parametrize("path", [PATH, "/apis/v1beta1/visualizations/", "/apis/v2beta1/visualizations/team-a"])
def test_json_request_returns_the_page(ask, owner, path):
    body = {"type": "CUSTOM", "source": "", "arguments": '{"code": ["print(1)"]}'}
    response = ask(body, path=path)
    assert (response.status_code, response.json()) == (200, body | {"html": "<p>picture</p>"})
    assert Visualization.objects.get().owner == owner


def gateway_error(response, status, code):
    assert response.status_code == status, response.content
    body = response.json()
    assert (body["code"], body["error"]) == (code, body["message"])
    return body["message"]


def test_json_errors_match_kubeflows_gateway(ask, settings, kernel):
    assert "no visualization type" in gateway_error(ask({"type": "nonsense"}), 400, 3)
    assert "NaN" in gateway_error(ask({"type": "TABLE", "source": "/x", "arguments": '{"a": NaN}'}), 400, 3)
    assert "'sorce'" in gateway_error(ask({"type": "TABLE", "sorce": "/x"}), 400, 3)
    kernel.outcome = {"state": "failed", "reason": "user_error", "message": "Broken.", "html": None}
    assert "Broken." in gateway_error(ask({"type": 4, "arguments": '{"code": "1/0"}'}), 400, 3)
    settings.ALLOW_CUSTOM_VISUALIZATIONS = False
    gateway_error(ask({"type": "CUSTOM", "arguments": '{"code": "1"}'}), 403, 7)
    settings.VIZPORTAL_MAX_QUEUED_PER_USER = 0
    gateway_error(ask({"type": "TABLE", "source": "/x"}), 400, 3)


def test_json_form_requires_authentication_and_same_origin(ask, owner, browser):
    gateway_error(ask({}, client=Client()), 401, 16)
    body = {"type": "CUSTOM", "arguments": '{"code": "1"}'}
    assert ask(body, client=Client(), Authorization=f"Bearer {token_of(owner)}").status_code == 200
    gateway_error(ask(body, Origin="http://evil.example"), 403, 7)
    form = browser(owner).post(PATH, {"type": "CUSTOM"})
    gateway_error(form, 400, 3)
    refused = browser(owner).get(PATH)
    gateway_error(refused, 405, 12)
