"""Kubeflow's own client, and the form that its API server sends, against a running portal."""

import contextlib
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import kfp_server_api
import pytest

from tests.servers import free_port
from tests.waiting import wait_until
from vizportal.settings import BASE_DIR

pytestmark = [pytest.mark.slow, pytest.mark.kernel]
CODE = '{"code": ["print(", "40 + 2)"]}'


@pytest.fixture(scope="module")
def listener(portal):
    """Runs `manage.py kfp_service` beside the portal; yields its URL."""
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VIZPORTAL_", "DJANGO_"))}
    settings = {"VIZPORTAL_DATA_DIR": str(portal.data_dir), "VIZPORTAL_KFP_SERVICE_BIND": f"127.0.0.1:{port}"}
    process = subprocess.Popen(
        [sys.executable, str(BASE_DIR / "manage.py"), "kfp_service"],
        env=clean | settings | {"ALLOW_CUSTOM_VISUALIZATIONS": "true"},
        stdin=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_until(lambda: is_alive(url), 60, "the listener")
        yield url
    finally:
        process.terminate()
        process.wait(20)


def is_alive(url):
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as response:
        return response.read() == b"alive"
    return False


def test_kubeflow_client_gets_a_page(portal):
    api = kfp_server_api.VisualizationServiceApi(
        kfp_server_api.ApiClient(kfp_server_api.Configuration(host=portal.url))
    )
    asked = kfp_server_api.V2beta1Visualization(type="CUSTOM", source="", arguments=CODE)
    made = api.visualization_service_create_visualization_v1("default", asked)
    assert "42" in made.html
    asked.arguments = '{"code": ["1 / 0"]}'
    with pytest.raises(kfp_server_api.ApiException) as caught:
        api.visualization_service_create_visualization_v1("default", asked)
    assert (caught.value.status, "ZeroDivisionError" in caught.value.body) == (400, True)


def test_api_server_form_gets_a_page_that_is_saved(portal, listener):
    form = urllib.parse.urlencode({"arguments": CODE, "source": "", "type": "custom"}).encode()
    with urllib.request.urlopen(listener, form, timeout=60) as response:
        assert "42" in response.read().decode()
        render_id = response.headers["X-Vizportal-Render"]
    assert portal.get(f"/api/v1/renders/{render_id}")["state"] == "succeeded"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(listener, b"type=nonsense&source=x", timeout=60)
    assert (caught.value.code, b"nonsense" in caught.value.read()) == (400, True)


def test_public_bind_is_refused_without_explicit_setting(portal):
    settings = {"VIZPORTAL_DATA_DIR": str(portal.data_dir), "VIZPORTAL_KFP_SERVICE_BIND": "0.0.0.0:0"}
    command = [sys.executable, str(BASE_DIR / "manage.py"), "kfp_service"]
    ended = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert "VIZPORTAL_KFP_SERVICE_OPEN" in ended.stderr
