"""Check which lookups, connections and requests a hostile result can cause in a real browser, as servers see them."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.test import Client

from apps.visualizations.models import Render, Visualization
from apps.visualizations.states import RenderState
from apps.visualizations.templatetags.result_frames import in_frame
from tests.browser_network.vectors import UNDONE, VECTORS
from vizportal.settings import BASE_DIR

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root for a network of its own"),
]
SITE = "127.0.0.1:8000"
OPEN = {"headers": {"Content-Type": "text/html; charset=utf-8"}, "body": '<!doctype html><iframe src="{src}"></iframe>'}
# A result's response as it is, and as seen by browsers without connection allow-lists.
KINDS = ("current", "older")


def host_of(vector, kind):
    return f"{re.sub(r'[^a-z0-9]+', '-', vector.lower())}.{kind}.example.com"


def page_of(vector, host):
    script = f"<script>addEventListener('load', () => {{ {vector.script} }})</script>"
    page = f"<!doctype html><html><head>{vector.head}</head><body>{vector.body}{script}</body></html>"
    return page.replace("HOST", host)


def headers_of(response):
    return {name: value for name, value in response.items() if name not in {"Content-Length", "Set-Cookie"}}


@pytest.fixture
def answers(settings, tmp_path, monkeypatch):
    """Returns the portal's page of a result and the result's own headers: (page, content)."""
    settings.MEDIA_ROOT = tmp_path / "results"
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    owner = get_user_model().objects.create_user("owner")
    made = Visualization.objects.create(title="Hostile", type_key="table", owner=owner)
    render = Render(visualization=made, number=1, state=RenderState.SUCCEEDED, timeout_s=1, requested_by=owner)
    render.html.save("1-result.html", ContentFile(b"<p>x</p>"))
    made.latest = render
    made.save()
    client = Client(headers={"Host": SITE})
    client.force_login(owner)
    page = client.get(made.get_absolute_url())
    address = in_frame(render.content_url)
    content = client.get(address, headers={"Sec-Fetch-Dest": "iframe"})
    assert (page.status_code, content.status_code) == (200, 200)
    b"".join(content.streaming_content)
    text = page.content.decode()
    assert text.count(f'src="{address}"') == 1
    body = text.replace(f'src="{address}"', 'src="{src}"').replace('loading="lazy"', "")
    return {"headers": headers_of(page), "body": body}, headers_of(content)


def run(site, pages):
    done = subprocess.run(
        ["unshare", "--net", "--mount", sys.executable, "-m", "tests.browser_network.scene"],
        input=json.dumps({"answers": site, "pages": pages}),
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    *errors, last = map(json.loads, done.stdout.splitlines())
    assert errors == []
    return last["seen"]


def scene_of(answers):
    """Returns a site and its pages: each vector as the portal serves it, for older browsers, and without a policy."""
    page, headers = answers
    older = {name: value for name, value in headers.items() if name != "Connection-Allowlist"}
    kinds = {"current": (page, headers), "older": (page, older), "control": (OPEN, OPEN["headers"])}
    site, pages = {}, []
    for number, (key, vector) in enumerate(VECTORS.items()):
        for kind, (outer, content_headers) in kinds.items():
            host, inner = host_of(key, kind), f"/content/{kind}/{number}"
            site[f"/{kind}/{number}"] = {**outer, "body": outer["body"].replace("{src}", inner)}
            site[inner] = {"headers": content_headers, "body": page_of(vector, host)}
            is_awaited = kind == "control" and key not in UNDONE
            pages.append({"host": host, "path": f"/{kind}/{number}", "click": vector.click, "is_awaited": is_awaited})
    return site, pages


def remaining(kind):
    """Returns the remaining traffic in docs/threat-model.md: {vector: "lookup" or "lookup, connection"}."""
    text = (BASE_DIR / "docs" / "threat-model.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| ([a-z ,]+) \| ([a-z ,]+) \|$", text, re.MULTILINE)
    column = KINDS.index(kind)
    return {name: values[column] for name, *values in rows if values[column] != "nothing"}


WORDS = {"lookups": "lookup", "connections": "connection", "requests": "request"}


def test_result_causes_only_the_traffic_in_the_threat_model(answers):
    seen = run(*scene_of(answers))
    traces = {
        kind: {
            key: ", ".join(word for name, word in WORDS.items() if name in seen[host_of(key, kind)])
            for key in VECTORS
            if host_of(key, kind) in seen
        }
        for kind in (*KINDS, "control")
    }
    # The control without a policy shows that the attempt works and would be seen.
    assert set(VECTORS) - set(traces["control"]) == UNDONE
    assert traces["current"] == remaining("current") == {}
    assert traces["older"] == remaining("older")
    assert "request" not in " ".join(traces["older"].values())


def test_result_can_load_library_code_under_the_policy(answers):
    page, headers = answers
    asset = {"headers": {"Content-Type": "text/javascript", "Cross-Origin-Resource-Policy": "cross-origin"}}
    # The title shows that the script ran. The scene waits for a request to the portal for an image with that name.
    site = {
        "/asset": {**page, "body": page["body"].replace("{src}", "/content")},
        "/content": {"headers": headers, "body": f'<script src="http://{SITE}/assets/x.js"></script>'},
        "/assets/x.js": {**asset, "body": "ran"},
    }
    seen = run(site, [{"host": f"{SITE}/assets/x.js", "path": "/asset", "click": "", "is_awaited": True}])
    assert seen[f"{SITE}/assets/x.js"] == {"requests": 1}
