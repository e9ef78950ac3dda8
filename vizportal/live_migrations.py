"""Operations for migrations that run while the portal is used; tests/upgrade says which others may stand there."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddIndex
from django.db.migrations.state import ProjectState


class AddIndexLive(AddIndexConcurrently):
    """Adds an index: on PostgreSQL without keeping writers out, elsewhere as `AddIndex` does.

    The migration needs `atomic = False`. Interrupted, PostgreSQL keeps an invalid index of that name: drop it, migrate
    again.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Builds it."""
        _kind(schema_editor).database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drops it."""
        _kind(schema_editor).database_backwards(self, app_label, schema_editor, from_state, to_state)


def _kind(schema_editor: BaseDatabaseSchemaEditor) -> type[AddIndex]:
    return AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else AddIndex
