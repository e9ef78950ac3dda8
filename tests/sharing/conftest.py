"""The cast, saved results and reports of tests/reports, and links to them."""

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
    """Who visited which link in other tests is forgotten."""
    cache.clear()


@pytest.fixture
def anonymous(settings):
    """Links open without a sign-in."""
    settings.VIZPORTAL_SHARE_ANONYMOUS = True


@pytest.fixture
def share(owner):  # noqa: F811
    """Makes a link of the owner's; returns its address. Views look at the clock, so that it begins now."""

    def make(target, *, by=None, **values):
        made, token = services.share_create(caller(by or owner), target, now=timezone.now(), **values)
        assert token not in str(vars(Share.objects.get(id=made.id)))
        return f"/s/{token}/"

    return make
