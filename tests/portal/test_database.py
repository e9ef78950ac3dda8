"""Parse a database URL into settings."""

import pytest

from vizportal.database import read_database


def test_sqlite_uses_immediate_transactions():
    found = read_database("sqlite:////data/db.sqlite3", pool=20)
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "pool" not in found["OPTIONS"]


def test_postgresql_has_a_pool_and_a_tcp_timeout():
    found = read_database("postgres://a:b@db.example.com/portal?sslmode=verify-full&connect_timeout=2", pool=7)
    options = found["OPTIONS"]
    assert options["pool"]["max_size"] == 7
    assert found["CONN_MAX_AGE"] == 0
    assert (options["sslmode"], str(options["connect_timeout"])) == ("verify-full", "2")
    assert options["tcp_user_timeout"] == 15_000


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_pool_0_disables_pool_and_server_side_cursors(scheme):
    found = read_database(f"{scheme}://a:b@pooler:6432/portal", pool=0)
    assert "pool" not in found["OPTIONS"]
    assert found["DISABLE_SERVER_SIDE_CURSORS"] is True
