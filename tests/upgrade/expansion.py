"""Checks that migrations only expand, so that the previous version still works with the migrated tables.

Any operation that is not known to be harmless is a breach (docs/decisions/0008-expand-then-contract.md).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations import operations as known
from django.db.migrations.loader import MigrationLoader
from django.db.models.fields import NOT_PROVIDED

from vizportal.live_migrations import AddIndexLive

# These add something, remove a restriction, or change nothing in the database.
_HARMLESS = (
    known.CreateModel,
    known.AlterModelOptions,
    known.AlterModelManagers,
    known.AlterModelTableComment,
    known.RemoveConstraint,
    known.RemoveIndex,
    known.RenameIndex,
)
_INDEX = "it locks a table that may be large: use AddIndexLive, in a migration with atomic = False"
_GONE = "the version before still reads and writes it"
_RENAMED = "the version before knows the old name: add a new one, write both, remove the old one in a later release"
_FORBIDS = "the version before may write what it forbids"
_WORDS: dict[type, str] = {
    known.RemoveField: _GONE,
    known.DeleteModel: _GONE,
    known.RenameField: _RENAMED,
    known.RenameModel: _RENAMED,
    known.AlterModelTable: _RENAMED,
    known.AddConstraint: _FORBIDS,
    known.AlterUniqueTogether: _FORBIDS,
    known.RunPython: "it cannot be undone: give reverse_code, or RunPython.noop",
    known.RunSQL: "it cannot be undone: give reverse_sql",
    AddIndexLive: "it needs a migration with atomic = False",
    AddIndexConcurrently: "SQLite does not know it: use AddIndexLive",
    known.AddIndex: _INDEX,
}
_VARCHAR = re.compile(r"varchar\((\d+)\)")


@dataclass(frozen=True, slots=True)
class Breach:
    """An operation that would break the previous version."""

    migration: str
    operation: str
    why: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.operation}: {self.why}"


def breaches(loader: MigrationLoader, baseline: Mapping[str, str], released: Collection[str]) -> list[Breach]:
    """Returns the breaches in all migrations of this project that are newer than the baseline.

    Args:
        baseline: the last migration of each app in the previous version; an app that is missing is new.
        released: the released versions. A migration may remove something if it names one of them as the first that no
        longer needs it (`contracts = "0.2.0"` in the migration's class).
    """
    old = {node for each in baseline.items() for node in loader.graph.forwards_plan(each)}
    ours = [
        each for each in loader.graph.nodes if each not in old and apps.get_app_config(each[0]).name.startswith("apps.")
    ]
    found: list[Breach] = []
    made: set[tuple[str, str]] = set()
    for node in sorted(ours, key=lambda each: len(loader.graph.forwards_plan(each))):
        migration = loader.disk_migrations[node]
        contracts = getattr(migration, "contracts", "")
        if contracts and contracts in released:
            continue
        if contracts:
            found.append(Breach(".".join(node), "contracts", f"{contracts} is no release yet"))
        reading = _Reading(migration, loader.project_state(node, at_end=False), made)
        reading.read(migration.operations)
        found += reading.found
    return found


@dataclass(slots=True)
class _Reading:
    """Reads a migration by operation. `made` are the models that the previous version does not have."""

    migration: Any
    state: Any
    made: set[tuple[str, str]]
    found: list[Breach] = field(default_factory=list)

    def read(self, operations: Sequence[Any], *, in_database: bool = True, in_state: bool = True) -> None:
        app = self.migration.app_label
        for operation in operations:
            if isinstance(operation, known.SeparateDatabaseAndState):
                self.read(operation.database_operations, in_state=False)
                self.read(operation.state_operations, in_database=False)
                continue
            after = self.state.clone()
            operation.state_forwards(app, after)
            why = self._database_breach(operation, after) if in_database else self._state_breach(operation)
            if why and (app, _model(operation)) not in self.made:
                self.found.append(Breach(str(self.migration), operation.describe(), why))
            if isinstance(operation, known.CreateModel):
                self.made.add((app, operation.name_lower))
            if in_state:
                self.state = after

    def _field(self, state: Any, operation: Any) -> Any:
        return state.apps.get_model(self.migration.app_label, _model(operation))._meta.get_field(operation.name)

    def _database_breach(self, operation: Any, after: Any) -> str:
        match operation:
            case known.AddField():
                return _added(self._field(after, operation))
            case known.AlterField():
                return _altered(self._field(self.state, operation), self._field(after, operation))
            case AddIndexLive() if not self.migration.atomic:
                return ""
            case known.RunPython() | known.RunSQL() if operation.reversible:
                return ""
            case _ if isinstance(operation, _HARMLESS):
                return ""
        return next(
            (why for kind, why in _WORDS.items() if isinstance(operation, kind)), "nobody knows that it is safe"
        )

    def _state_breach(self, operation: Any) -> str:
        """Returns the problem with a column that stays in the database but is no longer written, or ""."""
        if isinstance(operation, known.RemoveField) and not _may_be_left_out(self._field(self.state, operation)):
            return "the new version leaves out a column that may not be empty"
        return ""


def _model(operation: Any) -> str:
    return getattr(operation, "model_name_lower", "") or getattr(operation, "name_lower", "")


def _may_be_left_out(each: Any) -> bool:
    return each.null or each.many_to_many or each.db_default is not NOT_PROVIDED


def _added(each: Any) -> str:
    if not _may_be_left_out(each):
        return "the version before leaves the column out of what it writes: null=True, or a db_default"
    if each.generated:
        return "it writes the whole table anew under a lock"
    return _INDEX if each.db_index or each.unique else ""


def _altered(before: Any, after: Any) -> str:
    """Returns the effect of a changed column on the previous version, in PostgreSQL's terms, or ""."""
    # It is never connected, and only provides the names of types.
    server = DatabaseWrapper({"OPTIONS": {}, "NAME": "", "TIME_ZONE": None, "CONN_MAX_AGE": 0}, "nowhere")
    types = before.db_type(server), after.db_type(server)
    is_checked = before.db_check(server) != after.db_check(server) or (after.unique and not before.unique)
    wrong = [
        (before.column != after.column, _RENAMED),
        (not _holds(types[1], types[0]), f"its type changes from {types[0]} to {types[1]}"),
        (before.null and not after.null, "the version before may leave it empty"),
        (
            before.db_default is not NOT_PROVIDED and after.db_default is NOT_PROVIDED,
            "the version before leaves its value to the database",
        ),
        (is_checked or _target(after) not in {None, _target(before)}, _FORBIDS),
        (after.db_index and not before.db_index, _INDEX),
    ]
    return next((why for is_so, why in wrong if is_so), "")


def _holds(wide: str | None, narrow: str | None) -> bool:
    """Returns whether a column of one type accepts all values of the other without a rewrite."""
    if wide == narrow:
        return True
    limits = [_VARCHAR.fullmatch(each or "") for each in (wide, narrow)]
    if limits[1] is None:
        return False
    return wide in {"text", "varchar"} or (limits[0] is not None and int(limits[0][1]) >= int(limits[1][1]))


def _target(each: Any) -> Any:
    if not each.is_relation:
        return None
    return each.related_model._meta.db_table, getattr(each, "db_constraint", None)
