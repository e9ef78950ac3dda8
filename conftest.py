"""Shared fixtures: an environment's interpreter, and a render host that is started when first needed."""

from pathlib import Path

import pytest
import renderer
import vizkit
from django.test import TransactionTestCase

from tests.database import Database
from tests.environments import ENVIRONMENTS, ROOT


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that use the database. Only these are repeated on another database."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & {"db", "transactional_db"} or item.get_closest_marker("django_db") is not None:
            item.add_marker("database")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Creates the test database, and restores it after each test that commits."""
    with django_db_blocker.unblock():
        database = Database.read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _self: database.restore())
        yield


@pytest.fixture(scope="session")
def interpreter() -> Path:
    path = ROOT / ".environments" / "base" / "bin" / "python"
    assert path.exists(), "the environment base is not built: make setup"
    return path


@pytest.fixture(scope="session")
def host(interpreter, tmp_path_factory):
    """Starts a render host for all tests of this process, with the toolkit of the predefined types."""
    base = tmp_path_factory.mktemp("host")
    info = ENVIRONMENTS.get("base")
    spec = renderer.HostSpec(
        environment="base",
        interpreter=interpreter,
        run_dir=base / "run",
        work_root=tmp_path_factory.getbasetemp(),
        preload=info.preload,
        toolkits=(vizkit.TOOLKIT_DIR,),
        idle_s=1,
    )
    found = renderer.RenderHost(spec)
    found.status()
    yield found
    found.leave()
