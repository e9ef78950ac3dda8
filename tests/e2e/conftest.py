"""Fixtures that the end-to-end tests share: a portal and a browser."""

from collections.abc import Iterator

import pytest

from tests.chromium import chromium
from tests.portals import Portal, running_portal, sampled_data


@pytest.fixture(scope="session")
def portal(tmp_path_factory) -> Iterator[Portal]:
    """A portal with finished sample runs. Custom code is allowed, and renders may take 30 s."""
    data_dir = sampled_data(tmp_path_factory, "portal")
    with running_portal(data_dir, ALLOW_CUSTOM_VISUALIZATIONS="true", KERNEL_TIMEOUT="30") as found:
        yield found


@pytest.fixture(scope="module")
def browser():
    with chromium() as launched:
        yield launched
