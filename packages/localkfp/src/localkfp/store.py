"""The SQLite store: its tables, and a connection per unit of work.

The server and the process of every run write to it at the same time, which WAL and a busy timeout make possible.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_BUSY_TIMEOUT_S: Final = 20.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS experiments (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL DEFAULT '',
  created_at REAL NOT NULL, last_run_created_at REAL NOT NULL DEFAULT 0,
  storage_state TEXT NOT NULL DEFAULT 'AVAILABLE');
CREATE TABLE IF NOT EXISTS pipelines (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '', created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS versions (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  pipeline_id TEXT NOT NULL REFERENCES pipelines(id) ON DELETE CASCADE, name TEXT NOT NULL,
  display_name TEXT NOT NULL, description TEXT NOT NULL DEFAULT '', created_at REAL NOT NULL,
  spec TEXT NOT NULL, UNIQUE (pipeline_id, name));
CREATE TABLE IF NOT EXISTS runs (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, experiment_id TEXT NOT NULL,
  display_name TEXT NOT NULL, description TEXT NOT NULL DEFAULT '', created_at REAL NOT NULL,
  started_at REAL, finished_at REAL, state TEXT NOT NULL, storage_state TEXT NOT NULL DEFAULT 'AVAILABLE',
  error TEXT NOT NULL DEFAULT '', pipeline_id TEXT, version_id TEXT, spec TEXT NOT NULL,
  parameters TEXT NOT NULL DEFAULT '{}', pipeline_root TEXT NOT NULL DEFAULT '',
  service_account TEXT NOT NULL DEFAULT '', history TEXT NOT NULL DEFAULT '[]');
CREATE TABLE IF NOT EXISTS recurring_runs (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '', experiment_id TEXT NOT NULL, pipeline_id TEXT, version_id TEXT,
  spec TEXT NOT NULL, parameters TEXT NOT NULL, pipeline_root TEXT NOT NULL DEFAULT '',
  service_account TEXT NOT NULL DEFAULT '', cron TEXT NOT NULL DEFAULT '', interval_s INTEGER NOT NULL DEFAULT 0,
  starts_at REAL, ends_at REAL, max_concurrency INTEGER NOT NULL, no_catchup INTEGER NOT NULL,
  is_enabled INTEGER NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL, last_at REAL,
  error TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS runs_state ON runs (state);
CREATE TABLE IF NOT EXISTS executions (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  type TEXT NOT NULL, state INTEGER NOT NULL, task_name TEXT NOT NULL, pod_name TEXT NOT NULL DEFAULT '',
  properties TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS executions_run ON executions (run_id);
CREATE INDEX IF NOT EXISTS executions_pod ON executions (pod_name);
CREATE TABLE IF NOT EXISTS artifacts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  type TEXT NOT NULL, uri TEXT NOT NULL, metadata TEXT NOT NULL, created_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS artifacts_uri ON artifacts (run_id, uri);
CREATE TABLE IF NOT EXISTS events (
  execution_id INTEGER NOT NULL REFERENCES executions(id) ON DELETE CASCADE,
  artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
  type INTEGER NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL, at_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS events_execution ON events (execution_id);
"""
_NEWER_COLUMNS: Final = (
    ("runs", "recurring_run_id", ""),
    ("pipelines", "tags", "{}"),
    ("versions", "tags", "{}"),
)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The database of one data directory; safe to share between threads, because each use opens a connection."""

    path: Path
    _kept_open: list[sqlite3.Connection] = field(default_factory=list, compare=False, repr=False)

    def create(self) -> None:
        """Creates missing tables and columns."""
        with self.open() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(_SCHEMA)
            for table, column, default in _NEWER_COLUMNS:
                # A data directory of an earlier version lacks them.
                if column not in {row["name"] for row in db.execute(f"PRAGMA table_info({table})")}:
                    db.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT '{default}'")
        # Whenever the last connection closes, SQLite writes the log back and deletes it, at the cost of an fsync per
        # request.
        kept = sqlite3.connect(self.path, check_same_thread=False)
        kept.execute("SELECT count(*) FROM runs").fetchone()
        self._kept_open.append(kept)

    def close(self) -> None:
        """Closes the connection that `create` keeps open."""
        while self._kept_open:
            self._kept_open.pop().close()

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """Opens a connection; commits if the block ends without an exception."""
        db = sqlite3.connect(self.path, timeout=_BUSY_TIMEOUT_S)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA foreign_keys = ON")
            # Losing the last second in a power failure is acceptable; an fsync per event of a step is not.
            db.execute("PRAGMA synchronous = NORMAL")
            with db:
                yield db
        finally:
            db.close()

    def one(self, sql: str, *values: Any) -> Row | None:
        """Returns the first row of a query; None if there is none."""
        with self.open() as db:
            row = db.execute(sql, values).fetchone()
            return None if row is None else dict(row)

    def all(self, sql: str, *values: Any) -> list[Row]:
        """Returns the rows of a query."""
        with self.open() as db:
            return [dict(row) for row in db.execute(sql, values)]

    def run(self, sql: str, *values: Any) -> int:
        """Executes one statement and returns the number of changed rows."""
        with self.open() as db:
            return db.execute(sql, values).rowcount

    def insert(self, table: str, **values: Any) -> int:
        """Adds a row and returns its rowid. Table and column names come from this package only."""
        names = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        with self.open() as db:
            cursor = db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608
            return int(cursor.lastrowid or 0)


def new_id() -> str:
    """Returns a new id in Kubeflow's format."""
    return str(uuid.uuid4())


def now() -> float:
    """Returns seconds since 1970."""
    return time.time()


def now_ms() -> int:
    """Returns milliseconds since 1970, the unit of ML Metadata."""
    return time.time_ns() // 1_000_000
