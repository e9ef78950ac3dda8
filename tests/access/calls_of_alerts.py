"""What each public function of alerts returns for each role (outcomes.py)."""

# ruff: noqa: ARG005

from apps.notifications import selectors, services
from apps.notifications.definitions import AlertDefinition
from apps.notifications.models import Alert, AlertEvent, TargetKind
from apps.visualizations.models import Recipe, Render, RenderFigure
from tests.access.calls_of_rules import OWN, OWN_HIDDEN
from tests.access.outcomes import CHANGERS, SHOWN

# Anyone who may see results may create alerts on them.
MAKERS = (("no", "no"), ("in", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in"))
FAILED = AlertDefinition(event=AlertEvent.RENDER_FAILED)
TARGETS = [(TargetKind.SLACK, "http://127.0.0.1:9/x")]


def alert(place):
    return Alert.objects.get(pk=place["alert"])


def recipe(place):
    return Recipe.objects.get(pk=place["recipe"])


def looked_at(place):
    """Records that the alert has checked a render."""
    return alert(place).checks.create(render=Render.objects.get(pk=place["render"]))


def measured(place):
    """Adds a key figure to the render."""
    return RenderFigure.objects.create(render_id=place["render"], name="auc", value=1, better="none")


CALLED = {
    "apps.notifications.selectors.alerts_visible": (
        lambda c, w, p: selectors.alerts_visible(c).filter(pk=p["alert"]),
        OWN,
    ),
    "apps.notifications.selectors.alert_get": (lambda c, w, p: selectors.alert_get(c, p["alert"]), OWN_HIDDEN),
    "apps.notifications.selectors.alert_deliveries": (lambda c, w, p: selectors.alert_deliveries(c, alert(p)), OWN),
    "apps.notifications.selectors.alert_checks": (
        lambda c, w, p: looked_at(p) and selectors.alert_checks(c, alert(p)),
        OWN,
    ),
    "apps.notifications.selectors.series_figures": (
        lambda c, w, p: measured(p) and selectors.series_figures(c, recipe(p)),
        SHOWN,
    ),
    "apps.notifications.selectors.series_rules": (lambda c, w, p: selectors.series_rules(c, recipe(p)), OWN),
    "apps.notifications.services.alert_create": (
        lambda c, w, p: services.alert_create(c, recipe(p), FAILED, TARGETS),
        MAKERS,
    ),
    "apps.notifications.services.alert_change": (
        lambda c, w, p: services.alert_change(c, alert(p), is_enabled=False) or True,
        CHANGERS,
    ),
    "apps.notifications.services.alert_delete": (
        lambda c, w, p: services.alert_delete(c, alert(p)) or True,
        CHANGERS,
    ),
    "apps.notifications.services.alert_test": (lambda c, w, p: services.alert_test(c, alert(p)), CHANGERS),
}
