"""Install the wheel in an empty directory with a clean home: everything starts, and a result is rendered."""

import json
import os
import subprocess
import urllib.request
import zipfile
from contextlib import suppress

import pytest
from renderer.environments import find_uv

from tests.environments import ROOT
from tests.portals import Portal, is_ready, samples_done
from tests.servers import free_port
from tests.waiting import wait_until

pytestmark = [pytest.mark.installation, pytest.mark.kernel, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([find_uv(), "build", "--wheel", "--out-dir", folder], cwd=ROOT, check=True, capture_output=True)
    [found] = folder.glob("*.whl")
    return found


def test_wheel_has_no_top_level_package_with_a_common_name(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        *("localkfp", "mlmd", "renderer", "vizkit"),
        "vizportal_project",
    }
    assert not [name for name in names if "/tests/" in name or "__pycache__" in name]
    for part in ("environments/base/uv.lock", "templates/base.html", "static/css/tokens.css", "apps/runs/urls.py"):
        assert f"vizportal_project/{part}" in names
    assert "localkfp/samples/tip_prediction.yaml" in names


def clean_environ(home):
    # Downloads are shared with other installations on this machine. Everything else is as on a new machine.
    cache = os.environ.get("UV_CACHE_DIR") or str(home / "cache")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VIZPORTAL_", "DJANGO_", "KFP_"))}
    for name in ("SECRET_KEY", "VIRTUAL_ENV", "PYTHONPATH"):
        kept.pop(name, None)
    return {**kept, "HOME": str(home), "UV_CACHE_DIR": cache}


def test_wheel_starts_the_portal_in_an_empty_directory(wheel, tmp_path):
    home, empty, output = tmp_path / "home", tmp_path / "empty", tmp_path / "up.log"
    home.mkdir()
    empty.mkdir()
    port = free_port()
    with output.open("wb") as log:
        process = subprocess.Popen(
            [find_uv(), "tool", "run", "--from", wheel, "vizportal", "up"],
            env={**clean_environ(home), "VIZPORTAL_BIND": f"127.0.0.1:{port}"},
            cwd=empty,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    portal = Portal(f"http://127.0.0.1:{port}", empty / "data", process, output)
    try:
        wait_until(lambda: is_ready(portal), 600, "the portal")
        wait_until(lambda: samples_done(portal), 180, "the sample runs")
        assert rendered(portal, "roc_curve", "evaluator")["state"] == "succeeded"
        assert {path.name for path in empty.iterdir()} == {".environments", "data"}
    finally:
        with suppress(subprocess.TimeoutExpired):
            portal.stop()
        process.kill()
        process.wait()


def rendered(portal, type_key, step_name):
    """Requests a visualization of a step of the sample run, and returns its finished render."""
    [run] = [run for run in portal.get("/api/v1/runs")["items"] if "tip-prediction" in run["name"]]
    steps = portal.get(f"/api/v1/runs/{run['id']}")["steps"]
    [step] = [step for step in steps if step["name"] == step_name]
    wanted = {"run_id": run["id"], "step_id": step["id"], "type": type_key}
    request = urllib.request.Request(
        f"{portal.url}/api/v1/visualizations",
        data=json.dumps(wanted).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        address = f"/api/v1/renders/{json.load(response)['render']['id']}"
    wait_until(lambda: portal.get(address)["state"] not in {"queued", "running"}, 120, "the render")
    return portal.get(address)
