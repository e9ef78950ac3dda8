"""What each public function of rules returns for each role (outcomes.py)."""

# ruff: noqa: ARG005

from apps.accounts.caller import absent_caller
from apps.rules import conditions, selectors, services
from apps.rules.conditions import RunConditions
from apps.rules.models import Rule
from apps.runs.gateway import gateway_for_absent
from apps.visualizations.models import Recipe
from tests.access.outcomes import CHANGERS, READERS, TAGGERS

ANY = RunConditions()
# The caller's own rules, which members have in their namespace; superusers see all rules.
OWN = (("none", "none"), ("none", "none"), ("in", "none"), ("none", "in"), ("none", "none"), ("in", "in"))
OWN_HIDDEN = (("404", "404"), ("404", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in"))


def rule(place):
    return Rule.objects.get(pk=place["rule"])


def recipe(place):
    return Recipe.objects.get(pk=place["recipe"])


def absent(caller):
    """Returns a caller for the same person while they are absent."""
    return absent_caller(caller.user)


CALLED = {
    "apps.rules.selectors.rules_visible": (lambda c, w, p: selectors.rules_visible(c).filter(pk=p["rule"]), OWN),
    "apps.rules.selectors.rule_get": (lambda c, w, p: selectors.rule_get(c, p["rule"]), OWN_HIDDEN),
    "apps.rules.selectors.rule_runs": (lambda c, w, p: met(p) and selectors.rule_runs(c, rule(p)), OWN),
    "apps.rules.selectors.rule_counts": (lambda c, w, p: met(p) and selectors.rule_counts(c, rule(p)), OWN),
    "apps.rules.conditions.runs_ended": (
        lambda c, w, p: conditions.runs_ended(c, gateway_for_absent(absent(c), "mesh", p["namespace"]), ANY, 5),
        READERS,
    ),
    "apps.rules.services.rule_create": (lambda c, w, p: services.rule_create(c, recipe(p), ANY), TAGGERS),
    "apps.rules.services.rule_dry_run": (lambda c, w, p: services.rule_dry_run(c, recipe(p), ANY, 5), TAGGERS),
    "apps.rules.services.rule_change": (
        lambda c, w, p: services.rule_change(c, rule(p), is_enabled=False) or True,
        CHANGERS,
    ),
    "apps.rules.services.rule_delete": (lambda c, w, p: services.rule_delete(c, rule(p)) or True, CHANGERS),
    "apps.rules.services.rule_apply_to_last": (
        lambda c, w, p: services.rule_apply_to_last(c, rule(p), 5) or True,
        CHANGERS,
    ),
    "apps.rules.services.rule_cancel": (lambda c, w, p: services.rule_cancel(c, rule(p)) or True, CHANGERS),
    "apps.runs.gateway.gateway_for_absent": (
        lambda c, w, p: gateway_for_absent(absent(c), "mesh", p["namespace"]).run(p["run"]),
        READERS,
    ),
}


def met(place):
    """Records that the rule has met a run."""
    return rule(place).runs.create(run_id="r", run_name="r", state="pending")
