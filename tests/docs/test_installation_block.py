"""The first two lines of README: a new clone, and one command that serves."""

import urllib.error
import urllib.request

import pytest

from tests.docs.collecting import ROOT, changed, executes
from tests.servers import free_port

pytestmark = [pytest.mark.installation, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone")
@executes("README.md: git clone <this repository> vizportal && cd vizportal")
def test_new_clone_serves_the_portal(block, shell):
    bind = f"127.0.0.1:{free_port()}"
    # Environments are shared with this clone, since they are built from the same lock files.
    made = shell(VIZPORTAL_BIND=bind, VIZPORTAL_ENVIRONMENTS_DIR=str(ROOT / ".environments"))

    def is_ready():
        try:
            return urllib.request.urlopen(f"http://{bind}/readyz", timeout=5).status == 200
        except (OSError, urllib.error.URLError):
            return False

    with made.started(changed(block, repository=f"file://{ROOT}"), is_ready):
        assert (made.folder / "vizportal" / "manage.py").is_file()
        assert b"Runs" in urllib.request.urlopen(f"http://{bind}/runs/", timeout=30).read()
