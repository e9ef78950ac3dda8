"""Runs servers that accept only TLS, with certificates of a test authority. They are Debian's servers, since those of
the other tests come in wheels and are built without TLS.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis
import trustme

from tests.servers import free_port
from tests.waiting import wait_until

PASSWORD = "pa55-of-the-server"
NAME = "localhost"


class Authority:
    """A certificate authority. `path` is its own certificate, for clients."""

    def __init__(self, directory: Path):
        directory.mkdir(exist_ok=True, parents=True)
        self.made = trustme.CA()
        self.path = directory / "ca.crt"
        self.made.cert_pem.write_to_path(str(self.path))

    def issue(self, directory: Path, *names: str):
        """Writes server.crt and server.key for a server with these names."""
        certificate = self.made.issue_cert(*names)
        (directory / "server.crt").write_bytes(b"".join(each.bytes() for each in certificate.cert_chain_pems))
        key = directory / "server.key"
        key.touch(mode=0o600)
        certificate.private_key_pem.write_to_path(str(key))


@contextmanager
def _process(command, **options):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _answers(ask, *errors):
    try:
        return bool(ask())
    except errors:
        return False


@contextmanager
def tls_queue(authority: Authority, name: str = NAME):
    """Starts a queue server with a password and yields its port."""
    # In Debian, the server is this file under another name. `redis-tools` has it without an automatic service.
    server = shutil.which("valkey-check-rdb") or shutil.which("redis-check-rdb")
    assert server, "no queue server with TLS: apt-get install redis-tools"
    directory, port = Path(tempfile.mkdtemp(prefix="vzp-tls-")), free_port()
    authority.issue(directory, name)
    options = {
        "port": 0,
        "tls-port": port,
        "bind": "127.0.0.1",
        "tls-cert-file": directory / "server.crt",
        "tls-key-file": directory / "server.key",
        "tls-ca-cert-file": authority.path,
        "tls-auth-clients": "no",
        "requirepass": PASSWORD,
        "dir": directory,
        "save": '""',
    }
    config = directory / "server.conf"
    config.write_text("".join(f"{key} {value}\n" for key, value in options.items()))
    ask = redis.Redis("127.0.0.1", port, password=PASSWORD, ssl=True, ssl_cert_reqs="none", ssl_check_hostname=False)
    with _process(["redis-server", str(config)], executable=server), ask:
        wait_until(lambda: _answers(ask.ping, redis.RedisError), 30, "the queue server")
        yield port
    shutil.rmtree(directory)


@contextmanager
def tls_database(authority: Authority, name: str = NAME):
    """Starts a PostgreSQL with the database `portal` of the user `portal` and yields its port."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert found, "no PostgreSQL with TLS: apt-get install postgresql"
    directory, port = Path(tempfile.mkdtemp(prefix="vzp-tls-")), free_port()
    authority.issue(directory, name)
    (directory / "password").write_text(PASSWORD)
    who = {}
    if os.getuid() == 0:
        # PostgreSQL refuses to run as root.
        account = pwd.getpwnam("postgres")
        who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        for path in (directory, *directory.iterdir()):
            os.chown(path, account.pw_uid, account.pw_gid)
    data = directory / "data"
    make = [found[-1] / "initdb", "-D", data, "-U", "portal", "-A", "scram-sha-256", f"--pwfile={directory}/password"]
    subprocess.run([*make, "--no-sync", "-E", "UTF8"], check=True, capture_output=True, cwd=directory, **who)
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    settings = {
        "ssl": "on",
        "ssl_cert_file": directory / "server.crt",
        "ssl_key_file": directory / "server.key",
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "fsync": "off",
    }
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    where = {"host": "127.0.0.1", "port": port, "user": "portal", "password": PASSWORD, "autocommit": True}

    def make_database():
        with psycopg.connect(**where, dbname="postgres", sslmode="require") as connection:
            return connection.execute("CREATE DATABASE portal")

    with _process([found[-1] / "postgres", "-D", data, *options], cwd=directory, **who):
        wait_until(lambda: _answers(make_database, psycopg.OperationalError), 60, "PostgreSQL")
        yield port
    shutil.rmtree(directory)
