"""Secrets come from the environment or files, and are in no command line, log or render."""

import json
from pathlib import Path

import pytest

from tests.portals import running_portal
from tests.servers import free_port
from tests.tls import PASSWORD, Authority, tls_queue
from tests.waiting import wait_until
from vizportal.up import services

SECRETS = {
    "SECRET_KEY": "s3cret-key-that-signs-what-this-installation-says",
    "SECRET_KEY_FALLBACKS": "s3cret-key-of-the-year-before",
    "VIZPORTAL_KFP_SERVICE_TOKEN": "s3cret-token-of-the-visualization-service",
    "VIZPORTAL_OIDC_CLIENT_SECRET": "s3cret-of-the-client",
    "VIZPORTAL_OBJECT_STORES": json.dumps(
        [
            {
                "prefix": "s3://b/",
                "endpoint_url": "http://127.0.0.1:9",
                "key": "k",
                "secret": "s3cret-of-the-store",
            }
        ]
    ),
}
WORDS = (PASSWORD, "s3cret-")


def holds_secret(text):
    return any(word in text for word in WORDS)


def test_command_lines_planned_by_up_contain_no_secrets(monkeypatch, settings, tmp_path):
    settings.VIZPORTAL_DATA_DIR = tmp_path
    settings.VIZPORTAL_KFP_SERVICE_BIND = f"127.0.0.1:{free_port()}"
    for name in ("valkey", "localkfp"):
        (tmp_path / name).mkdir()
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    plan = services.make_plan("127.0.0.1", 8000, Path("/steps/python"))
    everything = [plan.queue, plan.localkfp, plan.web, plan.kfp_service, *plan.workers]
    assert len({service.name for service in everything}) == 4 + len(plan.workers)
    assert not [service.name for service in everything if holds_secret(" ".join(service.command))]
    # These two do not need the portal's secrets. The other processes do.
    assert not [each.name for each in (plan.queue, plan.localkfp) if holds_secret(str(dict(each.environ)))]
    assert holds_secret(str(dict(plan.web.environ)))


def processes():
    """Yields (command line, environment) of every process that can be read."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            yield (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"), path / "environ"
        except OSError:
            continue


@pytest.mark.slow
@pytest.mark.kernel
def test_running_processes_and_logs_reveal_no_secrets(tmp_path):
    authority = Authority(tmp_path / "ca")
    with tls_queue(authority) as port:
        (tmp_path / "queue").write_text(f"rediss://:{PASSWORD}@localhost:{port}/0?ssl_ca_certs={authority.path}")
        bind = {
            "VIZPORTAL_SAMPLES": "false",
            "VIZPORTAL_KFP_SERVICE_BIND": f"127.0.0.1:{free_port()}",
            "REDIS_URL_FILE": str(tmp_path / "queue"),
        }
        with running_portal(tmp_path / "data", **SECRETS, **bind) as portal:
            wait_until(lambda: portal.get("/readyz")["sandbox"]["hosts"], what="a render host")
            found = list(processes())
            commands = [command for command, _ in found if str(tmp_path) in command or "manage.py" in command]
            for part in ("rqworker", "reconcile", "kfp_service", "-m localkfp"):
                assert any(part in command for command in commands), part
            assert not [command for command, _ in found if holds_secret(command)]
            hosts = [environ.read_bytes().decode() for command, environ in found if "renderer/child" in command]
            assert hosts, [command for command, _ in found]
            assert not [environ for environ in hosts if holds_secret(environ)]
        written = [*(tmp_path / "data" / "logs").iterdir(), portal.output]
        assert len(written) > 4
        assert not [path.name for path in written if holds_secret(path.read_text(errors="replace"))]
