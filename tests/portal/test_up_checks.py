import os
import socket
from types import SimpleNamespace

import pytest

from vizportal.up import checks


@pytest.mark.parametrize(
    ("text", "expected"),
    [("127.0.0.1:8000", ("127.0.0.1", 8000)), ("[::1]:80", ("::1", 80)), ("localhost:0", ("localhost", 0))],
)
def test_bind_address_is_parsed(text, expected):
    assert checks.parse_bind(text) == expected


@pytest.mark.parametrize("text", ["8000", "host", "host:", "host:port", ":80", "host:70000"])
def test_malformed_bind_address_is_refused(text):
    with pytest.raises(checks.CannotStartError, match="VIZPORTAL_BIND"):
        checks.parse_bind(text)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "example.com"])
def test_non_loopback_address_requires_sign_in(host):
    with pytest.raises(checks.CannotStartError, match="VIZPORTAL_AUTH=password"):
        checks.require_sign_in(host, "local")
    checks.require_sign_in(host, "password")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_address_needs_no_sign_in(host):
    checks.require_sign_in(host, "local")


def test_port_in_use_is_named():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(checks.CannotStartError, match=str(port)):
            checks.require_free_port("127.0.0.1", port)
        assert checks.find_free_port("127.0.0.1", port) != port


def test_locked_data_dir_error_names_the_process(tmp_path):
    with checks.lock_data_dir(tmp_path), pytest.raises(checks.CannotStartError, match=f"process {os.getpid()}"):
        checks.lock_data_dir(tmp_path)
    with checks.lock_data_dir(tmp_path):
        pass


def test_invalid_data_dir_error_names_the_setting(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(checks.CannotStartError, match="VIZPORTAL_DATA_DIR"):
        checks.prepare_data_dir(tmp_path / "file" / "data")


def test_data_dir_is_accessible_only_to_its_owner(tmp_path):
    checks.prepare_data_dir(tmp_path / "data")
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def kfp_service(bind, *, is_open=False, token=""):
    return SimpleNamespace(
        VIZPORTAL_KFP_SERVICE_BIND=bind, VIZPORTAL_KFP_SERVICE_OPEN=is_open, VIZPORTAL_KFP_SERVICE_TOKEN=token
    )


def test_kfp_service_on_public_address_needs_open_or_token():
    assert checks.kfp_service_address(kfp_service("127.0.0.1:8888")) == ("127.0.0.1", 8888)
    with pytest.raises(checks.CannotStartError, match="VIZPORTAL_KFP_SERVICE_OPEN"):
        checks.kfp_service_address(kfp_service("0.0.0.0:8888"))
    assert checks.kfp_service_address(kfp_service("0.0.0.0:8888", is_open=True)) == ("0.0.0.0", 8888)
    assert checks.kfp_service_address(kfp_service("[::]:8888", token="t")) == ("::", 8888)
    with pytest.raises(checks.CannotStartError, match="VIZPORTAL_KFP_SERVICE_BIND must look like"):
        checks.kfp_service_address(kfp_service("8888"))


def test_next_free_port_after_a_used_one_is_found():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        found = checks.find_free_port("127.0.0.1", wanted)
        assert wanted < found <= wanted + 20
        assert checks.find_free_port("127.0.0.1", wanted) == found
    assert checks.find_free_port("127.0.0.1", wanted) == wanted
