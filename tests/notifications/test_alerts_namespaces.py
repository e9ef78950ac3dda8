"""Alerts with a multi-user Kubeflow depend on what their owner may read there."""

import json

import pytest
from django.core.cache import cache
from django.utils import timezone

from apps.accounts.caller import absent_caller
from apps.notifications import checking, deliveries, services
from apps.notifications.definitions import AlertDefinition
from apps.notifications.models import Alert, AlertEvent, Delivery, TargetKind
from apps.visualizations.exceptions import InvalidRequestError, NotFoundError
from apps.visualizations.models import Recipe, Render
from tests.access.conftest import clients, kept_connection, kubeflow, people, world  # noqa: F401  (fixtures)
from tests.notifications.conftest import served
from tests.visualizations.conftest import kernel, queue, valkey_url  # noqa: F401  (fixtures)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hook(settings, world):  # noqa: F811
    with served() as found:
        settings.VIZPORTAL_NOTIFY_ALLOW = [found.url.partition("/hook")[0] + "/"]
        yield found


def create(user, place, url):
    recipe = Recipe.objects.get(pk=place["recipe"])
    definition = AlertDefinition(event=AlertEvent.RENDER_SUCCEEDED)
    return services.alert_create(absent_caller(user), recipe, definition, [(TargetKind.SLACK, url)]).alert


def finish(place):
    Render.objects.filter(pk=place["render"]).update(finished_at=timezone.now())


def test_only_readers_of_a_namespace_create_alerts_in_it(world, hook):  # noqa: F811
    place = world.places["team-a"]
    with pytest.raises(NotFoundError):
        create(world.people["member_b"], place, hook.url)
    assert create(world.people["viewer_a"], place, hook.url).owner == world.people["viewer_a"]


def test_nothing_is_sent_after_the_owner_loses_the_namespace(world, hook):  # noqa: F811
    place, owner = world.places["team-a"], world.people["member_a"]
    Alert.objects.all().delete()
    alert = create(owner, place, hook.url)
    finish(place)
    checking.alerts_pass(None, checking.Scan())
    row = Delivery.objects.get()
    world.kubeflow.rights["member_a@example.org"] = []
    cache.clear()
    deliveries.delivery_send(str(row.id), 1)
    row.refresh_from_db()
    alert.refresh_from_db()
    assert hook.requests == []
    assert (row.state, row.error) == ("waiting", alert.problem)
    assert "member_a may not read the namespace team-a" in alert.problem
    world.kubeflow.rights["member_a@example.org"] = ["team-a"]
    cache.clear()
    Alert.objects.update(looked_at=None)
    checking.alerts_pass(None, checking.Scan())
    alert.refresh_from_db()
    assert alert.problem == ""
    deliveries.delivery_send(str(row.id), 2)
    assert len(hook.requests) == 1


def test_alert_is_refused_if_endpoint_needs_the_owners_cookie(world, hook, settings):  # noqa: F811
    [endpoint] = json.loads(settings.VIZPORTAL_ENDPOINTS)
    endpoint |= {"auth": "person-cookie", "person_cookies": ["x"]}
    del endpoint["user_header"]
    place = world.places["team-a"]
    settings.VIZPORTAL_ENDPOINTS = json.dumps([endpoint])
    cache.clear()
    with pytest.raises((InvalidRequestError, NotFoundError)):
        create(world.people["member_a"], place, hook.url)
