"""Programs on this machine have access, web pages do not. With a token, only its bearer has access."""

import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from localkfp.guard import is_loopback

from packages.localkfp.tests.conftest import make_server
from tests.servers import ROOT, localkfp_process

HEALTH = "/apis/v2beta1/healthz"


@pytest.mark.parametrize("host", ["127.0.0.1:1", "127.0.0.9", "localhost:8888", "LOCALHOST", "[::1]:80"])
def test_loopback_hosts_are_served_on_every_port(server, host):
    assert server.call("GET", HEALTH, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "192.168.1.5:8888"},
        {"Host": "[bad"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_upload_from_a_web_page_is_refused(server, headers):
    files = {"uploadfile": ("p.yaml", b"{}")}
    answer = server.call("POST", "/apis/v2beta1/pipelines/upload", headers=headers, files=files)
    assert answer.status_code == 403
    assert answer.json()["details"][0]["message"]
    assert server.get("/pipelines").json().get("total_size", 0) == 0


def test_same_origin_request_is_served(server):
    own = {"Origin": server.http.url, "Sec-Fetch-Site": "same-origin"}
    assert server.call("GET", HEALTH, headers=own).status_code == 200


def test_token_bearer_alone_is_served_under_any_host_name(http, tmp_path):
    server = make_server(http, tmp_path, token="secret")
    good = {"Authorization": "Bearer secret", "Host": "portal.example"}
    assert server.call("GET", HEALTH, headers=good).status_code == 200
    for value in ("Bearer wrong", "secret", "Basic secret", "Bearer sécret".encode()):
        assert server.call("GET", HEALTH, headers={"Authorization": value}).status_code == 401
    assert server.call("GET", HEALTH).status_code == 401
    assert server.call("GET", HEALTH, headers={**good, "Origin": "http://evil.example"}).status_code == 403


def test_only_names_of_this_machine_are_loopback():
    assert is_loopback("::1")
    assert is_loopback("a.localhost")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("localhost.example")
    assert not is_loopback("")


def test_non_loopback_address_needs_a_token(tmp_path):
    call = [sys.executable, "-m", "localkfp", "--host", "0.0.0.0", "--port", "0", "--data-dir", tmp_path]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "VIZPORTAL_LOCALKFP_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr


def test_token_can_be_read_from_a_file(tmp_path):
    (tmp_path / "token").write_text("secret\n")
    environ = {"VIZPORTAL_LOCALKFP_TOKEN_FILE": str(tmp_path / "token")}
    with localkfp_process(tmp_path / "data", env=environ) as (host, _process):
        asked = urllib.request.Request(host + HEALTH, headers={"Authorization": "Bearer secret"})
        assert urllib.request.urlopen(asked, timeout=10).status == 200
        with pytest.raises(urllib.error.HTTPError, match="401") as caught:
            urllib.request.urlopen(host + HEALTH, timeout=10)
        caught.value.close()
