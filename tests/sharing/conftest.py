"""The users, saved results and reports of tests/reports, and links to them."""

from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.utils import timezone

from apps.sharing import services
from apps.sharing.models import Share
from tests.callers import caller
from tests.reports.conftest import (  # noqa: F401  (fixtures)
    admin,
    again,
    browser,
    kernel,
    kubeflow,
    owner,
    queue,
    reader,
    saved,
    storage,
    valkey_url,
    write,
)

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def forgotten():
    """Clears the cache of visits from other tests."""
    cache.clear()


@pytest.fixture
def anonymous(settings):
    """Makes links open without sign-in."""
    settings.VIZPORTAL_SHARE_ANONYMOUS = True


@pytest.fixture
def share(owner):  # noqa: F811
    """Creates a link of the owner and returns its path. It starts now, since views use the real clock."""

    def make(target, *, by=None, **values):
        made, token = services.share_create(caller(by or owner), target, now=timezone.now(), **values)
        assert token not in str(vars(Share.objects.get(id=made.id)))
        return f"/s/{token}/"

    return make
