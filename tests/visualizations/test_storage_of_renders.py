"""The constraints of the database, and the migrations in both directions."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from apps.visualizations.models import Render

pytestmark = pytest.mark.django_db(transaction=True)


def test_database_refuses_unknown_state(submit):
    made = submit()
    with pytest.raises(IntegrityError, match="render_state_known"):
        Render.objects.filter(id=made.render.id).update(state="nonsense")


def test_render_number_is_unique_per_visualization(submit):
    made = submit()
    with pytest.raises(IntegrityError):
        Render.objects.create(
            visualization=made.visualization, number=1, code="", type_version="", environment="base", timeout_s=1
        )


def test_migrations_are_reversible():
    call_command("migrate", "visualizations", "zero", verbosity=0)
    assert "visualizations_render" not in connection.introspection.table_names()
    call_command("migrate", verbosity=0)
    assert "visualizations_render" in connection.introspection.table_names()


def test_models_and_migrations_agree():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
