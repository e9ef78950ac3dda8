"""Database settings from DATABASE_URL, with the options SQLite and PostgreSQL need under load and after outages."""

from __future__ import annotations

from typing import Any, Final

import dj_database_url

# Measured: four writers get "database is locked" with Django's defaults, and do not with these options.
_SQLITE: Final = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
# A server that was cut off never answers: without these options a query waits for a quarter of an hour. The URL
# overrides them.
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
    """Returns Django's settings for the database at `url`.

    Args:
        url: such as `postgres://user:password@host/name`.
        pool: the maximum number of PostgreSQL connections of a process; 0 means no pool and no server-side cursors, for
            use with a pooler such as PgBouncer.
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
