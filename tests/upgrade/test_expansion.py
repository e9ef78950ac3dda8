"""Expand first, contract later: no migration may break the previous version, which still runs beside the new one."""

import importlib
import shutil
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from tests.upgrade.expansion import breaches
from tests.upgrade.versions import PREVIOUS_FILE, git
from vizportal.settings import BASE_DIR

PREVIOUS = tomllib.loads(PREVIOUS_FILE.read_text())
BASELINE = PREVIOUS["migrations"]
PLANTED = """
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import models
from django.db.migrations import *
from vizportal.live_migrations import AddIndexLive

def forget(apps, schema_editor):
    pass

class Migration(Migration):
    {head}
    dependencies = [("visualizations", "0004_sources")]
    operations = [{operations}]
"""


def released():
    """Returns the versions in the changelog, without the unreleased one."""
    lines = (BASE_DIR / "CHANGELOG.md").read_text().splitlines()
    return {line.split()[1] for line in lines if line.startswith("## ") and "unreleased" not in line.lower()}


def test_migrations_since_the_previous_version_only_expand():
    assert [str(each) for each in breaches(MigrationLoader(None), BASELINE, released())] == []


def test_baseline_matches_the_previous_version():
    names = git("ls-tree", "-r", "--name-only", PREVIOUS["commit"], "apps").splitlines()
    found = {}
    for path in sorted(Path(name) for name in names if "/migrations/0" in name):
        # An app's label may differ from its folder name.
        label = next(
            (app.label for app in apps.get_app_configs() if app.name == f"apps.{path.parts[1]}"), path.parts[1]
        )
        found[label] = path.stem
    assert found == BASELINE


@pytest.fixture
def plant(tmp_path, settings, monkeypatch):
    """Adds a migration after the last one of visualizations and returns its breaches."""
    package = f"planted_{tmp_path.name}"
    shutil.copytree(Path(apps.get_app_config("visualizations").path) / "migrations", tmp_path / package)
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"visualizations": package}

    def read(operations, head="", versions=()):
        (tmp_path / package / "0005_planted.py").write_text(PLANTED.format(operations=operations, head=head))
        importlib.invalidate_caches()
        found = breaches(MigrationLoader(None), BASELINE, versions)
        return "; ".join(map(str, found))

    return read


BREAKING = {
    "RemoveField('render', 'kernel')": "still reads and writes it",
    "DeleteModel('ApiToken')": "still reads and writes it",
    "RenameField('render', 'kernel', 'core')": "knows the old name",
    "RenameModel('ApiToken', 'Token')": "knows the old name",
    "AlterModelTable('render', 'renders')": "knows the old name",
    "AddField('render', 'size', models.IntegerField(default=0))": "null=True, or a db_default",
    "AddField('render', 'size', models.IntegerField(null=True, db_index=True))": "AddIndexLive",
    "AddField('render', 'boss', models.ForeignKey('self', models.CASCADE, null=True))": "AddIndexLive",
    "AddField('render', 'twice', models.GeneratedField(expression=models.F('number') * 2, "
    "output_field=models.IntegerField(null=True), db_persist=True, null=True))": "writes the whole table anew",
    "AlterField('render', 'kernel', models.CharField(blank=True, max_length=20))": "varchar(60) to varchar(20)",
    "AlterField('render', 'number', models.BigIntegerField())": "integer to bigint",
    "AlterField('render', 'line', models.PositiveIntegerField(default=0))": "may leave it empty",
    "AlterField('render', 'losses', models.SmallIntegerField(default=0, unique=True))": "what it forbids",
    "AlterField('render', 'peak_memory_bytes', models.PositiveBigIntegerField(null=True))": "what it forbids",
    "AlterField('render', 'kernel', models.CharField(max_length=60, db_index=True))": "AddIndexLive",
    "AlterField('render', 'kernel', models.CharField(max_length=60, db_column='core'))": "knows the old name",
    "AlterField('visualization', 'latest', models.ForeignKey('visualizations.ApiToken', "
    "models.SET_NULL, null=True))": "its type changes",
    "AlterUniqueTogether('render', {('number', 'state')})": "what it forbids",
    "AddConstraint('render', models.CheckConstraint(condition=models.Q(number__gt=0), name='c'))": "forbids",
    "AddIndex('render', models.Index(fields=['kernel'], name='by_kernel'))": "AddIndexLive",
    "AddIndexConcurrently('render', models.Index(fields=['kernel'], name='by_kernel'))": "SQLite does not know it",
    "AddIndexLive('render', models.Index(fields=['kernel'], name='by_kernel'))": "atomic = False",
    "RunPython(forget)": "cannot be undone",
    "RunSQL('SELECT 1')": "cannot be undone",
    "AlterOrderWithRespectTo('render', 'visualization')": "nobody knows",
    "SeparateDatabaseAndState(database_operations=[RemoveField('render', 'kernel')])": "still reads",
    "SeparateDatabaseAndState(state_operations=[RemoveField('render', 'kernel')])": "may not be empty",
}
EXPANDING = [
    "AddField('render', 'size', models.IntegerField(null=True))",
    "AddField('render', 'size', models.IntegerField(default=0, db_default=0))",
    "AlterField('render', 'kernel', models.CharField(blank=True, max_length=90, help_text='x'))",
    "AlterField('render', 'kernel', models.TextField(blank=True))",
    "AlterField('render', 'number', models.PositiveIntegerField(null=True))",
    "RemoveConstraint('render', 'render_state_known')",
    "RemoveIndex('render', 'render_lease')",
    "RunPython(forget, RunPython.noop)",
    "SeparateDatabaseAndState(state_operations=[RemoveField('render', 'line')])",
    # The previous version does not know a table that this version adds.
    (
        "CreateModel('Note', [('id', models.BigAutoField(primary_key=True)), ('text', models.TextField())]), "
        "AddField('note', 'size', models.IntegerField(default=0)), "
        "AddIndex('note', models.Index(fields=['size'], name='by_size')), "
        "RemoveField('note', 'text')"
    ),
]


@pytest.mark.parametrize("operations", BREAKING)
def test_breaking_operation_is_found(plant, operations):
    assert BREAKING[operations] in plant(operations)


@pytest.mark.parametrize("operations", EXPANDING)
def test_expanding_operation_is_accepted(plant, operations):
    assert plant(operations) == ""


def test_live_index_is_accepted_in_a_non_atomic_migration(plant):
    index = "AddIndexLive('render', models.Index(fields=['kernel'], name='by_kernel'))"
    assert plant(index, head="atomic = False") == ""


def test_contraction_is_accepted_if_a_release_no_longer_needs_it(plant):
    gone = "RemoveField('render', 'kernel')"
    assert plant(gone, head='contracts = "0.2.0"', versions={"0.1.0", "0.2.0"}) == ""


def test_contraction_must_not_name_an_unreleased_version(plant):
    gone = "RemoveField('render', 'kernel')"
    found = plant(gone, head='contracts = "0.3.0"', versions={"0.1.0", "0.2.0"})
    assert "0.3.0 is no release yet" in found
    assert "still reads and writes it" in found


def test_all_breaches_of_a_migration_are_reported(plant):
    found = plant("RemoveField('render', 'kernel'), RunPython(forget)")
    assert found.count("0005_planted") == 2
