"""docs/api.md and docs/kfp-service.md: the examples work with a portal, and every parameter is documented."""

import json
import re
import urllib.parse
import urllib.request

import pytest
from django.test import Client

from tests.docs.collecting import ROOT, changed, executes
from tests.servers import free_port


@pytest.fixture(scope="module")
def schema(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        return json.loads(Client().get("/api/v1/openapi.json").content)


def test_every_path_and_query_parameter_is_documented(schema):
    text = (ROOT / "docs" / "api.md").read_text()
    for path, operations in schema["paths"].items():
        short = re.sub(r"\{\w+\}", "{id}", path.removeprefix("/api/v1"))
        for method, operation in operations.items():
            assert f"{method.upper()} {short}" in text
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query":
                    assert f"`{parameter['name']}`" in text, f"{method} {path}: {parameter['name']}"


def ask(url, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


@pytest.fixture
def at_portal(shell, served):
    """Makes a shell with the portal's settings, and an account for scripts."""
    made = shell()
    made.env.update(served.settings)
    accounts = "from django.contrib.auth.models import User; User.objects.filter(username='ada').exists() or "
    made.run(f"echo \"{accounts}User.objects.create_superuser('ada')\" | .venv/bin/python manage.py shell -v0")
    return made


TOKEN = "docs/api.md: .venv/bin/python manage.py token create nightly --user ada -"


@pytest.fixture
def token(at_portal):
    said = at_portal.run(".venv/bin/python manage.py token create test --user ada")
    return re.search(r"vzp_\S+", said)[0]


@pytest.mark.slow
@executes(TOKEN)
def test_documented_command_creates_a_token(block, at_portal, served):
    [token] = re.findall(r"vzp_\S+", at_portal.run(block))
    assert ask(f"{served.url}/api/v1/queue", Authorization=f"Bearer {token}")["running"] == 0


@pytest.mark.slow
@executes('docs/api.md: curl -H "Authorization: Bearer vzp_..." http://127.0.0.1:800')
def test_documented_curl_command_lists_types(block, at_portal, served, token):
    said = at_portal.run(changed(block, token=token, portal=served.url).replace("curl", "curl -sS"))
    assert "roc_curve" in {each["key"] for each in json.loads(said)["items"]}


@pytest.mark.slow
@pytest.mark.kernel
@executes('docs/api.md: {"run_id": "...", "step_id": "...", "artifact": "predictions')
def test_documented_request_creates_a_visualization(block, served):
    [run] = ask(f"{served.url}/api/v1/runs?q=tip-prediction&page_size=1")["items"]
    body = {**json.loads(block), "run_id": run["id"], "step_id": "evaluator"}
    made = ask(f"{served.url}/api/v1/visualizations", body)
    assert made["render"]["state"] in {"queued", "running", "succeeded"}


@pytest.mark.slow
@pytest.mark.kernel
@executes('docs/api.md: {"type": "TABLE", "source": "s3://bucket/predictions.csv", "')
def test_kubeflow_request_returns_the_page(block, served):
    body = json.loads(block.replace("s3://bucket/", served.settings["VIZPORTAL_SOURCE_ALLOW"]))
    assert "0.9" in ask(f"{served.url}/apis/v1beta1/visualizations/team-a", body)["html"]


@pytest.mark.slow
@pytest.mark.kernel
@executes("docs/api.md: import time")
def test_documented_script_renders_a_table(block, at_portal, served, token):
    said = at_portal.run(changed(block, token=token, portal=served.url) + "\nprint(len(html))", python=True)
    assert said.split()[0] == "succeeded"
    assert int(said.split()[-1]) > 1000


@pytest.mark.slow
@pytest.mark.kernel
@executes("docs/kfp-service.md: VIZPORTAL_KFP_SERVICE_BIND=127.0.0.1:8888 .venv/bin/python m")
def test_visualization_service_renders_beside_the_portal(block, at_portal, served):
    bind = f"127.0.0.1:{free_port()}"

    def is_alive():
        try:
            return urllib.request.urlopen(f"http://{bind}/", timeout=5).read() == b"alive"
        except OSError:
            return False

    with at_portal.started(changed(block, bind=bind), is_alive):
        source = f"{served.settings['VIZPORTAL_SOURCE_ALLOW']}predictions.csv"
        form = urllib.parse.urlencode({"type": "table", "source": source, "arguments": "{}"}).encode()
        assert b"0.9" in urllib.request.urlopen(f"http://{bind}/", form, timeout=60).read()
