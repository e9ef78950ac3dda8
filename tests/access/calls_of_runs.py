"""What each public function about people and runs returns for each role (outcomes.py)."""

# ruff: noqa: ARG005
# Each call takes the same three arguments, (caller, world, place), and is one expression.

from django.core.files.base import ContentFile
from django.utils import timezone

from apps.accounts import accounts, audit, lockout, sessions
from apps.runs import access, actions, gateway, selectors, services
from apps.runs.entities import PipelineVersion
from apps.runs.run_filters import RunFilters
from tests.access.outcomes import ADMINISTRATORS, EVERYBODY, LOOKERS, MAKERS, NOBODY, READERS, SHOWN, TAGGERS


def kubeflow_as(caller):
    return gateway.gateway_for(caller, "mesh")


def run(place):
    """Returns a run as Kubeflow gave it to a caller who may see it."""
    return place["run entity"]


CALLED = {
    # people
    "apps.accounts.audit.entries_prune": (
        lambda c, w, p: audit.entries_prune(c, timezone.now(), is_dry_run=True),
        NOBODY,
    ),
    "apps.accounts.audit.record": (lambda c, w, p: audit.record(c, "x"), EVERYBODY),
    "apps.accounts.accounts.may_manage": (
        lambda c, w, p: accounts.may_manage(c, p["owner"]),
        (*(("none", "none"),) * 4, ("in", "in"), ("in", "in")),
    ),
    "apps.accounts.accounts.manage_check": (
        lambda c, w, p: accounts.manage_check(c, p["owner"]) or True,
        ADMINISTRATORS,
    ),
    "apps.accounts.accounts.groups_assignable": (
        lambda c, w, p: accounts.groups_assignable(c),
        (*(("none", "none"),) * 4, ("in", "in"), ("in", "in")),
    ),
    "apps.accounts.sessions.sign_ins": (
        lambda c, w, p: sessions.sign_ins(c, None),
        (("none", "none"), *(("in", "in"),) * 5),
    ),
    "apps.accounts.sessions.sign_out_everywhere": (
        lambda c, w, p: sessions.sign_out_everywhere(c, p["owner"]),
        (("no", "no"), ("no", "no"), ("in", "no"), ("no", "in"), ("in", "in"), ("in", "in")),
    ),
    "apps.accounts.sessions.sign_out_everybody": (lambda c, w, p: sessions.sign_out_everybody(c), NOBODY),
    "apps.accounts.sessions.sessions_prune": (
        lambda c, w, p: sessions.sessions_prune(c, timezone.now(), is_dry_run=True),
        NOBODY,
    ),
    "apps.accounts.lockout.attempts_prune": (
        lambda c, w, p: lockout.attempts_prune(c, timezone.now(), is_dry_run=True),
        NOBODY,
    ),
    # runs
    "apps.runs.gateway.endpoint_ask_again": (lambda c, w, p: gateway.endpoint_ask_again(c) or True, LOOKERS),
    "apps.runs.gateway.gateway_for": (lambda c, w, p: kubeflow_as(c), LOOKERS),
    "apps.runs.gateway.gateway_for_namespace": (
        lambda c, w, p: gateway.gateway_for_namespace(c, "mesh", p["namespace"]),
        LOOKERS,
    ),
    "apps.runs.access.may_read": (lambda c, w, p: access.may_read(c, "mesh", p["namespace"]), SHOWN),
    "apps.runs.access.readable": (lambda c, w, p: access.readable(c, [("mesh", p["namespace"])]), SHOWN),
    "apps.runs.actions.run_change": (
        lambda c, w, p: actions.run_change(c, kubeflow_as(c), p["run"], "archive") == "",
        TAGGERS,
    ),
    "apps.runs.actions.runs_change": (
        lambda c, w, p: actions.runs_change(c, kubeflow_as(c), [p["run"]], "archive") == {p["run"]: ""},
        (("no", "no"), ("no", "no"), ("in", "none"), ("none", "in"), ("none", "none"), ("in", "in")),
    ),
    "apps.runs.actions.recurring_run_change": (
        lambda c, w, p: actions.recurring_run_change(c, kubeflow_as(c), p["recurring"], "disable") == "",
        TAGGERS,
    ),
    "apps.runs.actions.run_start": (
        lambda c, w, p: actions.run_start(
            c,
            kubeflow_as(c),
            actions.RunStart(
                name="x", version=PipelineVersion(id="v1", pipeline_id="p1", name="v"), experiment_id=p["experiment"]
            ),
        ),
        TAGGERS,
    ),
    "apps.runs.actions.pipeline_upload": (
        lambda c, w, p: actions.pipeline_upload(
            c, kubeflow_as(c), ContentFile(b"{}", "x.yaml"), name="x", description=""
        ),
        MAKERS,
    ),
    "apps.runs.actions.pipeline_version_upload": (
        lambda c, w, p: actions.pipeline_version_upload(
            c, kubeflow_as(c), ContentFile(b"{}", "x.yaml"), name="x", pipeline_id="p1"
        ),
        MAKERS,
    ),
    "apps.runs.services.tags_add": (lambda c, w, p: services.tags_add(c, kubeflow_as(c), [p["run"]], "x"), TAGGERS),
    "apps.runs.services.tag_remove": (
        lambda c, w, p: services.tag_remove(c, kubeflow_as(c), p["run"], "x") or True,
        TAGGERS,
    ),
    "apps.runs.services.run_forget": (
        lambda c, w, p: services.run_forget(c, kubeflow_as(c), p["run"]) or True,
        MAKERS,
    ),
    "apps.runs.services.filter_save": (
        lambda c, w, p: services.filter_save(c, "mesh", name="x", query="q=y", is_shared=False),
        LOOKERS,
    ),
    "apps.runs.services.filter_delete": (
        lambda c, w, p: services.filter_delete(c, p["filter"]) or True,
        (("no", "no"), ("404", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("404", "404")),
    ),
    "apps.runs.services.metrics_read": (
        lambda c, w, p: services.metrics_read(c, kubeflow_as(c), [run(p)]),
        (("no", "no"), *SHOWN[1:]),
    ),
    "apps.runs.selectors.runs_list": (
        lambda c, w, p: selectors.runs_list(c, kubeflow_as(c), RunFilters()).items,
        READERS,
    ),
    "apps.runs.selectors.runs_tagged": (
        lambda c, w, p: selectors.runs_tagged(c, kubeflow_as(c), f"tag of {p['namespace']}"),
        (("no", "no"), *SHOWN[1:]),
    ),
    "apps.runs.selectors.tag_choices": (
        lambda c, w, p: selectors.tag_choices(c, kubeflow_as(c)),
        (("no", "no"), *SHOWN[1:]),
    ),
    "apps.runs.selectors.tags_of": (lambda c, w, p: selectors.tags_of(c, kubeflow_as(c), [run(p)]), LOOKERS),
    "apps.runs.selectors.run_tags": (lambda c, w, p: selectors.run_tags(c, "mesh", run(p)), LOOKERS),
    "apps.runs.selectors.metrics_kept": (
        lambda c, w, p: selectors.metrics_kept(c, kubeflow_as(c), [run(p)]) == {},
        LOOKERS,
    ),
    "apps.runs.selectors.saved_filters": (
        lambda c, w, p: selectors.saved_filters(c, "mesh").filter(pk=p["filter"]),
        (("no", "no"), ("none", "none"), ("in", "none"), ("none", "in"), ("none", "none"), ("none", "none")),
    ),
}
