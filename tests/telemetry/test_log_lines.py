"""Log lines for people and for machines: with ids, and without the installation's secrets."""

import json
import logging
import os
import subprocess
import sys
import urllib.request

import pytest
from django.conf import settings as live_settings
from django.test import RequestFactory, override_settings

from apps.telemetry import redaction
from apps.telemetry.context import render_context, request_context
from apps.telemetry.logs import JsonFormatter, LineFormatter, logging_config
from tests.waiting import wait_until

SECRETS = {
    "SECRET_KEY": "key-k3y-never-shown",
    "VIZPORTAL_METRICS_TOKEN": "metrics-t0ken-never-shown",
    "KFP_EXISTING_TOKEN": "kubeflow-t0ken-never-shown",
    "KFP_COOKIES": "session=cook1e-never-shown",
    "VIZPORTAL_KFP_SERVICE_TOKEN": "service-t0ken-never-shown",
    "VIZPORTAL_OIDC_CLIENT_SECRET": "oidc-s3cret-never-shown",
}


@pytest.fixture(autouse=True)
def _fresh():
    redaction.reload()
    yield
    redaction.reload()


def record(message, *args, level=logging.INFO, exc_info=None, **extra):
    made = logging.LogRecord("apps.some", level, __file__, 1, message, args, exc_info)
    vars(made).update(extra)
    return made


def test_json_line_has_the_expected_fields():
    with render_context("r-1", 2, ""):
        found = json.loads(JsonFormatter().format(record("fetched %s", "ü\n")))
    assert found.pop("time").endswith("Z")
    assert found == {
        "level": "INFO",
        "logger": "apps.some",
        "message": "fetched ü\n",
        "render_id": "r-1",
        "attempt": 2,
    }


def test_json_line_has_traceback_without_line_breaks():
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        text = JsonFormatter().format(record("broken", exc_info=sys.exc_info()))
    assert "\n" not in text
    assert "ZeroDivisionError: division by zero" in json.loads(text)["exc_info"]


@pytest.mark.parametrize("hostile", ["a\nb", "a\r\nb", "\x1b[31mred\x00", "\u2028", '"}, {"level": "ERROR"', "\ud800"])
def test_json_line_escapes_hostile_text(hostile):
    text = JsonFormatter().format(record("said %s", hostile))
    assert not set(text) & {"\n", "\r", "\x1b", "\x00"}
    assert json.loads(text)["message"] == f"said {hostile}"
    assert json.loads(text)["level"] == "INFO"


def test_json_line_leaves_out_djangos_request_object():
    request = RequestFactory().get("/runs/?code=private")
    text = JsonFormatter().format(record("Not Found: /runs/", request=request, status_code=404, status=404))
    assert "private" not in text
    assert json.loads(text)["status"] == 404


def test_plain_line_has_the_ids_too():
    with request_context(RequestFactory().get("/"), "abc"):
        assert LineFormatter().format(record("hello")).endswith("INFO apps.some: hello [request_id=abc]")
    assert LineFormatter().format(record("hello")).endswith("apps.some: hello")


@pytest.mark.parametrize("formatter", [LineFormatter, JsonFormatter])
@pytest.mark.parametrize(
    ("changed", "hidden"),
    [
        ({"SECRET_KEY": 'quoted"s3cret'}, 'quoted"s3cret'),
        ({"SECRET_KEY_FALLBACKS": ["first-old-one", "second-old-one"]}, "second-old-one"),
        ({"VIZPORTAL_METRICS_TOKEN": "t0kent0ken"}, "t0kent0ken"),
        ({"REDIS_URL": "rediss://:pa%2Fssword@queue:6379/0"}, "pa%2Fssword"),
        ({"REDIS_URL": "rediss://:pa%2Fssword@queue:6379/0"}, "pa/ssword"),
        ({"RQ_QUEUES": {"render-base": {"URL": "redis://u:s3cret-here@q/0"}}}, "s3cret-here"),
        ({"VIZPORTAL_ENDPOINTS": '[{"key": "prod", "auth": "token", "token": "kube-t0ken"}]'}, "kube-t0ken"),
        (
            {"VIZPORTAL_OBJECT_STORES": '[{"prefix": "s3://b/", "key": "AKIAEXAMPLE", "secret": "st0re-secret"}]'},
            "st0re-secret",
        ),
        ({"VIZPORTAL_OBJECT_STORES": '[{"prefix": "abfs://c/", "key": "azure-acc0unt-key"}]'}, "azure-acc0unt-key"),
        ({"VIZPORTAL_RESULTS_OPTIONS": '{"connection_string": "AccountKey=azure-k3y"}'}, "AccountKey=azure-k3y"),
        ({"STORAGES": {"default": {"OPTIONS": {"secret_key": "s3-s3cret"}}}}, "s3-s3cret"),
    ],
)
def test_secrets_of_settings_are_redacted_everywhere(formatter, changed, hidden):
    with override_settings(**changed):
        redaction.reload()
        try:
            raise ValueError(f"said {hidden} aloud")
        except ValueError:
            text = formatter().format(record("cannot reach %s", hidden, exc_info=sys.exc_info()))
    assert hidden not in text
    assert json.dumps(hidden)[1:-1] not in text
    assert text.count("[secret]") == 2


def test_other_setting_values_are_not_redacted():
    with override_settings(VIZPORTAL_ENDPOINTS='[{"key": "production", "auth": "service-account"}]'):
        redaction.reload()
        text = LineFormatter().format(record("production by service-account with password and local"))
    assert "production by service-account with password and local" in text


def test_access_log_is_written_in_json_format_only():
    assert logging_config("line", "INFO")["loggers"]["vizportal.access"]["level"] == "WARNING"
    assert logging_config("json", "INFO")["loggers"]["vizportal.access"]["level"] == "INFO"


def environ(tmp_path, **values):
    own = {name: value for name, value in os.environ.items() if not name.startswith(("VIZPORTAL_", "KFP_"))}
    data = {"VIZPORTAL_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "vizportal.settings"}
    return own | SECRETS | data | {"VIZPORTAL_LOG_FORMAT": "json", "VIZPORTAL_LOG_LEVEL": "DEBUG"} | values


def check_secrets(text, *more):
    for secret in (*SECRETS.values(), *more):
        assert secret not in text
        assert secret.partition("=")[2] not in text or "=" not in secret


ASK = """
import logging
from django.test import Client
client = Client(raise_request_exception=False)
for path in ("/metrics", "/readyz", "/runs/", "/visualizations/"):
    response = client.get(path, headers={"Authorization": "Bearer metrics-t0ken-never-shown"})
    print(path, response.status_code)
    if path == "/metrics":
        print(response.content.decode())
"""


@pytest.mark.slow
def test_no_secrets_are_logged_when_all_services_fail(tmp_path, unused_port):
    """Each address has a password, and the log level is DEBUG from the first line."""
    gone = f"127.0.0.1:{unused_port}"
    env = environ(
        tmp_path,
        DATABASE_URL=f"postgres://portal:database-p4ss-never-shown@{gone}/portal",
        REDIS_URL=f"redis://:queue-p4ss-never-shown@{gone}/0",
        KFP_HOST=f"http://{gone}",
        VIZPORTAL_ALLOWED_HOSTS="testserver",
        VIZPORTAL_AUTH="password",
    )
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", ASK]
    done = subprocess.run(
        command, env=env, cwd=live_settings.BASE_DIR, capture_output=True, text=True, check=False, timeout=120
    )
    assert "/metrics 200" in done.stdout, done.stderr
    assert 'vizportal_up{part="database"} 0.0' in done.stdout
    assert 'vizportal_up{part="queue"} 0.0' in done.stdout
    assert "/readyz 503" in done.stdout
    assert "apps.telemetry.exposition" in done.stderr
    check_secrets(done.stdout + done.stderr, "database-p4ss-never-shown", "queue-p4ss-never-shown")
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert {"metrics: queue", "metrics: database"} <= {
        ":".join(line["message"].split(":")[:2]) for line in lines if line["message"].startswith("metrics: ")
    }
    assert any(line["logger"] == "vizportal.access" and line["view"] == "readyz" for line in lines)


@pytest.mark.slow
def test_worker_without_queue_server_logs_no_password(tmp_path, unused_port):
    env = environ(tmp_path, REDIS_URL=f"redis://:queue-p4ss-never-shown@127.0.0.1:{unused_port}/0")
    done = subprocess.run(
        [sys.executable, "manage.py", "rqworker", "render-base"],
        env=env,
        cwd=live_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "refused" in done.stderr
    check_secrets(done.stdout + done.stderr, "queue-p4ss-never-shown")


@pytest.mark.slow
def test_uvicorn_logs_in_the_same_format(tmp_path, unused_port):
    command = [sys.executable, "-m", "uvicorn", "vizportal.asgi:application", "--port", str(unused_port)]
    (tmp_path / "static").mkdir()
    log = (tmp_path / "log").open("w+")
    process = subprocess.Popen(
        [*command, "--lifespan", "off"],
        env=environ(tmp_path, VIZPORTAL_LOG_LEVEL="INFO", VIZPORTAL_AUTH="password"),
        cwd=live_settings.BASE_DIR,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_until(lambda: "Uvicorn running" in (tmp_path / "log").read_text(), 60, "uvicorn")
        url = f"http://127.0.0.1:{unused_port}/api/v1/openapi.json?code=private"
        with urllib.request.urlopen(urllib.request.Request(url, headers={"X-Request-ID": "seen"})) as response:
            assert response.headers["X-Request-ID"] == "seen"
    finally:
        process.terminate()
        process.wait(30)
        log.close()
    text = (tmp_path / "log").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert {"uvicorn.error", "vizportal.access"} <= {line["logger"] for line in lines}
    [access] = [line for line in lines if line["logger"] == "vizportal.access"]
    assert (access["request_id"], access["method"], access["view"]) == ("seen", "GET", "api-1:openapi-json")
    assert "private" not in text
    check_secrets(text)
