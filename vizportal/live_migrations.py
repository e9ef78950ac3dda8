"""Migration operations that are safe while the portal runs; tests/upgrade lists all that are allowed."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddIndex
from django.db.migrations.state import ProjectState


class AddIndexLive(AddIndexConcurrently):
    """Adds an index: on PostgreSQL without blocking writers, elsewhere like `AddIndex`.

    The migration needs `atomic = False`. After an interruption PostgreSQL keeps an invalid index: drop it and migrate
    again.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Creates the index."""
        _operation(schema_editor).database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drops the index."""
        _operation(schema_editor).database_backwards(self, app_label, schema_editor, from_state, to_state)


def _operation(schema_editor: BaseDatabaseSchemaEditor) -> type[AddIndex]:
    return AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else AddIndex
