"""Copies every row of one database to another. A second call copies only what is new."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.core.management.color import no_style
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, models, transaction
from django.db.models.fields.files import FieldFile

# A render's log may be a megabyte, so at most this many rows are held in memory.
_BATCH: Final = 200
# Tables that `migrate` fills with its own ids; they get the ids of the source.
_FILLED_BY_MIGRATE: Final = ("contenttypes.ContentType", "auth.Permission")
# Rows of these tables show that the database belongs to another installation.
_IDENTIFYING: Final = ("auth.User", "visualizations.Visualization")
_Row = dict[str, Any]


class NotEmptyError(Exception):
    """The target has rows that the source lacks."""


@dataclass(frozen=True, slots=True)
class TableState:
    """A summary of a table's content: the number of rows, and the sum of their digests, independent of their order."""

    rows: int
    digest: int


def tables() -> list[type[models.Model]]:
    """Returns every model that has a table, ordered so that the targets of required references come first."""
    models_all = apps.get_models(include_auto_created=True)
    stored = [model for model in models_all if model._meta.managed and not model._meta.proxy]
    ordered: list[type[models.Model]] = []
    waiting = sorted(stored, key=lambda model: model._meta.label)
    while waiting:
        ready = [model for model in waiting if _needs(model) <= {*ordered, model}]
        if not ready:
            raise AssertionError(f"required references form a cycle: {waiting}")
        ordered += ready
        waiting = [model for model in waiting if model not in ready]
    return ordered


def _needs(model: type[models.Model]) -> set[Any]:
    return {reference.related_model for reference in _references(model) if not reference.null}


def _references(model: type[models.Model]) -> list[models.ForeignKey[Any, Any]]:
    return [field for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)]


def target_check(source: str, target: str) -> None:
    """Checks that the target is empty, or contains an earlier pass of the same move.

    Raises:
        NotEmptyError: it has users or visualizations that the source lacks.
    """
    for label in _IDENTIFYING:
        model = apps.get_model(label)
        for strangers in _extra(model, source, target):
            raise NotEmptyError(
                f"The target's table {model._meta.db_table} has rows that this installation does not have, such as "
                f"{strangers[0]}. Move into an empty database, or let --replace delete them."
            )


def extra_delete(source: str, target: str) -> int:
    """Deletes the target's rows that the source lacks; returns how many."""
    count = 0
    with transaction.atomic(using=target):
        for model in reversed(tables()):
            if model._meta.label not in _FILLED_BY_MIGRATE:
                for keys in list(_extra(model, source, target)):
                    count += int(_all(model, target).filter(pk__in=keys)._raw_delete(target))
    return count


def _extra(model: type[models.Model], source: str, target: str) -> Iterator[list[Any]]:
    for batch in _batches(model, target):
        keys = [row["pk"] for row in batch]
        known = set(_all(model, source).filter(pk__in=keys).values_list("pk", flat=True))
        if strangers := [key for key in keys if key not in known]:
            yield strangers


def fill_by_migrate(source: str, target: str) -> None:
    """Sets the ids of the tables that `migrate` fills to the source's; rows that refer to them are recopied later."""
    filled = [apps.get_model(label) for label in _FILLED_BY_MIGRATE]
    if all(table_state(table, source) == table_state(table, target) for table in filled):
        return
    with transaction.atomic(using=target):
        for model in reversed(tables()):
            if model in filled or any(reference.related_model in filled for reference in _references(model)):
                _all(model, target)._raw_delete(target)
        for table in filled:
            for batch in _batches(table, source):
                _write(table, target, batch)


def table_copy(model: type[models.Model], source: str, target: str, on_rows: Callable[[int], object]) -> int:
    """Copies the rows that are missing or different in the target; returns how many.

    Optional references stay empty until `references_copy`, because the rows they refer to may be copied later.
    """
    count = 0
    later = [reference.attname for reference in _references(model) if reference.null]
    for batch in _batches(model, source):
        wanted = [{**row, **dict.fromkeys(later)} for row in batch]
        there = _rows_by_pk(model, target, batch)
        changed = [row for row in wanted if {**there.get(row["pk"], {}), **dict.fromkeys(later)} != row]
        with transaction.atomic(using=target):
            _write(model, target, changed)
        count += len(changed)
        on_rows(len(batch))
    return count


def references_copy(model: type[models.Model], source: str, target: str) -> None:
    """Copies the optional references, once every row has been copied."""
    later = [reference.attname for reference in _references(model) if reference.null]
    if not later:
        return
    for batch in _batches(model, source):
        there = _rows_by_pk(model, target, batch)
        changed = [row for row in batch if any(row[name] != there[row["pk"]][name] for name in later)]
        with transaction.atomic(using=target):
            _write(model, target, changed)


def sequences_reset(target: str) -> None:
    """Makes the target's sequences continue after the highest id."""
    connection = connections[target]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), tables()):
            cursor.execute(statement)


def table_count(model: type[models.Model], using: str) -> int:
    """Returns how many rows a table has."""
    return int(_all(model, using).count())


def table_state(model: type[models.Model], using: str) -> TableState:
    """Reads a whole table and summarizes it."""
    total, count = 0, 0
    for batch in _batches(model, using):
        count += len(batch)
        for row in batch:
            text = json.dumps(row, cls=_ExactEncoder, sort_keys=True)
            total += int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    return TableState(count, total)


class _ExactEncoder(DjangoJSONEncoder):
    """JSON of a row with exact times: Django's encoder truncates them to milliseconds."""

    def default(self, value: Any) -> Any:
        if hasattr(value, "isoformat"):
            return value.isoformat()
        return super().default(value)


def _all(model: type[models.Model], using: str) -> Any:
    return model._base_manager.using(using)


def _batches(model: type[models.Model], using: str) -> Iterator[list[_Row]]:
    """Yields rows by ascending key, in this database's order: another database may sort texts differently."""
    last: Any = None
    while True:
        rows = _all(model, using).order_by("pk")
        batch = list(itertools.islice(rows if last is None else rows.filter(pk__gt=last), _BATCH))
        if not batch:
            return
        yield [_row(instance) for instance in batch]
        last = batch[-1].pk


def _row(instance: models.Model) -> _Row:
    values = {field.attname: getattr(instance, field.attname) for field in instance._meta.concrete_fields}
    files = {name: value.name or "" for name, value in values.items() if isinstance(value, FieldFile)}
    return {**values, **files, "pk": instance.pk}


def _rows_by_pk(model: type[models.Model], using: str, batch: list[_Row]) -> dict[Any, _Row]:
    instances = _all(model, using).filter(pk__in=[row["pk"] for row in batch])
    return {instance.pk: _row(instance) for instance in instances}


def _write(model: type[models.Model], target: str, rows: list[_Row]) -> None:
    if not rows:
        return
    instances = [model(**{name: value for name, value in row.items() if name != "pk"}) for row in rows]
    names = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    _all(model, target).bulk_create(
        instances,
        update_conflicts=bool(names),
        ignore_conflicts=not names,
        unique_fields=[str(model._meta.pk.name)] if names else None,
        update_fields=names or None,
    )
