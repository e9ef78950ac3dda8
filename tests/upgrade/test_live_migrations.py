"""An index is added and dropped while others write, on both databases (`make test-postgres` runs the second)."""

import pytest
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext

from vizportal.live_migrations import AddIndexLive

TABLE = "visualizations_render"


def indexes():
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, TABLE))


@pytest.mark.django_db(transaction=True)
def test_index_is_added_and_dropped_without_blocking_writers():
    operation = AddIndexLive("render", models.Index(fields=["kernel"], name="by_kernel"))
    before = MigrationLoader(None).project_state()
    after = before.clone()
    operation.state_forwards("visualizations", after)
    is_postgres = connection.vendor == "postgresql"
    with (
        CaptureQueriesContext(
            connection,
        ) as forwards,
        connection.schema_editor(atomic=False) as editor,
    ):
        operation.database_forwards("visualizations", editor, before, after)
    assert "by_kernel" in indexes()
    with CaptureQueriesContext(connection) as backwards, connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("visualizations", editor, after, before)
    assert "by_kernel" not in indexes()
    for queries in (forwards, backwards):
        [said] = [query["sql"] for query in queries if "by_kernel" in query["sql"]]
        assert ("CONCURRENTLY" in said) == is_postgres
