"""The exception in the Content-Security-Policy for django_rq's pages, and its limits."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import django_rq
import pytest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queue")]


def policy(response):
    directives = response["Content-Security-Policy"].split(";")
    return {name: values.split() for name, _, values in (text.strip().partition(" ") for text in directives)}


@pytest.mark.parametrize("path", ["/admin/rq/", "/admin/rq/queues/0/finished/", "/admin/django_rq/dashboard/"])
def test_dashboard_csp_allows_inline_styles_and_one_script(admin_client, path):
    response = admin_client.get(path)
    assert response.status_code == 200
    found = policy(response)
    assert found["style-src"] == ["'self'", "'unsafe-inline'"]
    assert "'unsafe-inline'" not in found["script-src"]
    assert len(found["script-src"]) == 2
    assert "queue-dashboard.js" in response.content.decode()


@pytest.mark.parametrize("path", ["/admin/", "/admin/visualizations/render/", "/design/", "/no-such-page/"])
def test_other_pages_allow_no_inline_code(admin_client, path):
    response = admin_client.get(path)
    found = policy(response)
    assert found["style-src"] == found["script-src"] == ["'self'"]
    assert "queue-dashboard.js" not in response.content.decode()


@pytest.mark.parametrize(
    "path",
    ["queues/0/gone/delete/", "queues/0/gone/requeue/", "workers/0/rq:worker:gone/", "workers/0/x/", "schedulers/0/"],
)
def test_missing_job_or_worker_is_a_404_page(admin_client, path):
    response = admin_client.get(f"/admin/rq/{path}")
    assert response.status_code == 404
    assert "no such job, worker or scheduler" in response.content.decode()


def test_csp_hashes_match_inline_scripts_of_installed_django_rq(admin_client):
    folder = Path(django_rq.__file__).parent / "templates" / "django_rq"
    scripts = {
        script
        for template in folder.glob("*.html")
        for script in re.findall(
            r'<script type="text/javascript">(.+?)</script>', template.read_text(encoding="utf-8"), re.DOTALL
        )
    }
    assert scripts, "the exception for a script can go"
    hashes = {base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts}
    allowed = policy(admin_client.get("/admin/rq/"))["script-src"]
    assert {f"'sha256-{digest}'" for digest in hashes} == set(allowed) - {"'self'"}
