"""What the database itself promises, and that the migration goes both ways."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from apps.visualizations.models import Render

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_unknown_state_is_refused_by_the_database(submit):
    made = submit()
    with pytest.raises(IntegrityError, match="render_state_known"):
        Render.objects.filter(id=made.render.id).update(state="nonsense")


def test_a_number_is_given_once(submit):
    made = submit()
    with pytest.raises(IntegrityError):
        Render.objects.create(
            visualization=made.visualization, number=1, code="", type_version="", environment="base", timeout_s=1
        )


def test_the_migration_goes_back_and_forth():
    call_command("migrate", "visualizations", "zero", verbosity=0)
    assert "visualizations_render" not in connection.introspection.table_names()
    call_command("migrate", verbosity=0)
    assert "visualizations_render" in connection.introspection.table_names()


def test_models_and_migrations_agree():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
