"""Fixture: the previous version, set up once."""

import pytest

from tests.upgrade.versions import Version, previous_version


@pytest.fixture(scope="session")
def previous(tmp_path_factory) -> Version:
    return previous_version(tmp_path_factory.mktemp("previous"))
