"""The database's settings from its URL: what SQLite and PostgreSQL need to be safe under load and after a cut."""

from __future__ import annotations

from typing import Any, Final

import dj_database_url

# Measured: with Django's defaults four writers meet "database is locked"; with these they do not.
_SQLITE: Final = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
# A server that was cut off never answers: without these a query waits for a quarter of an hour. The URL may differ.
_POSTGRES: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "vizportal",
}
_POOL_WAIT_S: Final = 5


def read_database(url: str, *, pool: int) -> dict[str, Any]:
    """Returns Django's settings of the database at `url`.

    Args:
        pool: connections one process keeps at most, where it is PostgreSQL; 0 keeps none and uses no cursors on the
            server's side, for a pooler such as PgBouncer in between.
    """
    found: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True)}
    options = found.get("OPTIONS", {})
    if found["ENGINE"].endswith("sqlite3"):
        return found | {"OPTIONS": _SQLITE | options}
    if not found["ENGINE"].endswith("postgresql"):
        return found
    found |= {"OPTIONS": _POSTGRES | options, "CONN_MAX_AGE": 0}
    if pool:
        found["OPTIONS"]["pool"] = {"min_size": 1, "max_size": pool, "timeout": _POOL_WAIT_S}
    else:
        found["DISABLE_SERVER_SIDE_CURSORS"] = True
    return found
