"""Who gets what from each public function of a service or selector, and why the others take no caller.

A row of `CALLED` is (call, outcomes): the call as a function of (caller, world, place), and what each role of the matrix
gets for namespace A and for B. Outcomes: "in" (an answer), "none" (an empty one), "no" (refused for want of a right),
"404" (not there for this caller).
"""

# ruff: noqa: ARG005, E501
# fmt: off
# A row is one line, and each call takes the same three values.

from django.core.files.base import ContentFile
from django.utils import timezone

from apps.people import accounts, audit, lockout, sessions
from apps.people.rights import Right
from apps.runs import access, actions, gateway, selectors, services
from apps.runs.entities import PipelineVersion
from apps.runs.run_filters import RunFilters
from apps.visualizations import origins
from apps.visualizations import selectors as results
from apps.visualizations.kfp_service import ends
from apps.visualizations.models import ApiToken, Render, Visualization
from apps.visualizations.services import bulk, live, rights, submission, titles, tokens, withdrawal
from apps.visualizations.services.orders import VisualizationRequest

PLACES = (
    "apps.people.audit",
    "apps.people.accounts",
    "apps.people.sessions",
    "apps.people.lockout",
    "apps.people.roles",
    "apps.people.local",
    "apps.runs.access",
    "apps.runs.actions",
    "apps.runs.gateway",
    "apps.runs.selectors",
    "apps.runs.services",
    "apps.visualizations.events",
    "apps.visualizations.origins",
    "apps.visualizations.selectors",
    "apps.visualizations.kfp_service.ends",
    "apps.visualizations.kfp_service.waiting",
    "apps.visualizations.services",
)
"""The modules, and packages of modules, whose public functions must each have a row."""

#          anonymous, viewer in A, member of A, member of B, administrator, superuser
NOBODY = ("no",) * 6
LOOKERS = ("no", "in", "in", "in", "in", "in")
MAKERS = ("no", "no", "in", "in", "in", "in")
ADMINISTRATORS = ("no", "no", "no", "no", "in", "in")
EVERYBODY = ("in",) * 6
BOTH = {
    name: tuple((each, each) for each in rule)
    for name, rule in list(globals().items())
    if isinstance(rule, tuple) and rule and rule[0] in {"no", "in"}
}
# Kubeflow, or the namespace, says who reads.
READERS = (("no", "no"), ("in", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in"))
HIDDEN = (("404", "404"), *READERS[1:])
SHOWN = (("none", "none"), ("in", "none"), ("in", "none"), ("none", "in"), ("none", "none"), ("in", "in"))
TAGGERS = (("no", "no"), ("no", "no"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in"))
# A visualization is changed by its owner, who makes things, or by an administrator.
CHANGERS = (("no", "no"), ("no", "no"), ("in", "no"), ("no", "in"), ("in", "in"), ("in", "in"))
AGAIN = (("no", "no"), ("no", "no"), ("in", "no"), ("no", "in"), ("404", "404"), ("in", "in"))
ITS_PERSON = (("no", "no"), ("no", "no"), ("in", "no"), ("no", "in"), ("no", "no"), ("no", "no"))


def kubeflow_as(caller):
    return gateway.gateway_for(caller, "mesh")


def request(place, **more):
    values = {"type_key": "table", "run_id": place["run"], "step_id": place["step"], "artifact_name": "data", **more}
    return VisualizationRequest(**values)


def visualization(place):
    return Visualization.objects.get(pk=place["visualization"])


def render(place, name="render"):
    return Render.objects.get(pk=place[name])


def run(place):
    """A run as Kubeflow gave it to whoever may see it."""
    return place["run entity"]


def token(place):
    return ApiToken.objects.get(pk=place["token"])


def custom():
    return VisualizationRequest(type_key="custom", code="1")


CALLED = {
    # people
    "apps.people.audit.entries_prune": (
        lambda c, w, p: audit.entries_prune(c, timezone.now(), is_dry_run=True),
        BOTH["NOBODY"],
    ),
    "apps.people.audit.record": (lambda c, w, p: audit.record(c, "x"), BOTH["EVERYBODY"]),
    "apps.people.accounts.may_manage": (
        lambda c, w, p: accounts.may_manage(c, p["owner"]),
        (*(("none", "none"),) * 4, ("in", "in"), ("in", "in")),
    ),
    "apps.people.accounts.manage_check": (
        lambda c, w, p: accounts.manage_check(c, p["owner"]) or True,
        BOTH["ADMINISTRATORS"],
    ),
    "apps.people.accounts.groups_assignable": (
        lambda c, w, p: accounts.groups_assignable(c),
        (*(("none", "none"),) * 4, ("in", "in"), ("in", "in")),
    ),
    "apps.people.sessions.sign_ins": (
        lambda c, w, p: sessions.sign_ins(c, None),
        (("none", "none"), *(("in", "in"),) * 5),
    ),
    "apps.people.sessions.sign_out_everywhere": (
        lambda c, w, p: sessions.sign_out_everywhere(c, p["owner"]),
        (("no", "no"), ("no", "no"), ("in", "no"), ("no", "in"), ("in", "in"), ("in", "in")),
    ),
    "apps.people.sessions.sign_out_everybody": (lambda c, w, p: sessions.sign_out_everybody(c), BOTH["NOBODY"]),
    "apps.people.sessions.sessions_prune": (
        lambda c, w, p: sessions.sessions_prune(c, timezone.now(), is_dry_run=True),
        BOTH["NOBODY"],
    ),
    "apps.people.lockout.attempts_prune": (
        lambda c, w, p: lockout.attempts_prune(c, timezone.now(), is_dry_run=True),
        BOTH["NOBODY"],
    ),
    # runs
    "apps.runs.gateway.gateway_for": (lambda c, w, p: kubeflow_as(c), BOTH["LOOKERS"]),
    "apps.runs.gateway.gateway_for_namespace": (
        lambda c, w, p: gateway.gateway_for_namespace(c, "mesh", p["namespace"]),
        BOTH["LOOKERS"],
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
        lambda c, w, p: actions.pipeline_upload(c, kubeflow_as(c), ContentFile(b"{}", "x.yaml"), name="x", description=""),
        BOTH["MAKERS"],
    ),
    "apps.runs.actions.pipeline_version_upload": (
        lambda c, w, p: actions.pipeline_version_upload(
            c, kubeflow_as(c), ContentFile(b"{}", "x.yaml"), name="x", pipeline_id="p1"
        ),
        BOTH["MAKERS"],
    ),
    "apps.runs.services.tags_add": (lambda c, w, p: services.tags_add(c, kubeflow_as(c), [p["run"]], "x"), TAGGERS),
    "apps.runs.services.tag_remove": (lambda c, w, p: services.tag_remove(c, kubeflow_as(c), p["run"], "x") or True, TAGGERS),
    "apps.runs.services.run_forget": (
        lambda c, w, p: services.run_forget(c, kubeflow_as(c), p["run"]) or True,
        BOTH["MAKERS"],
    ),
    "apps.runs.services.filter_save": (
        lambda c, w, p: services.filter_save(c, "mesh", name="x", query="q=y", is_shared=False),
        BOTH["LOOKERS"],
    ),
    "apps.runs.services.filter_delete": (
        lambda c, w, p: services.filter_delete(c, p["filter"]) or True,
        (("no", "no"), ("404", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("404", "404")),
    ),
    "apps.runs.services.metrics_read": (
        lambda c, w, p: services.metrics_read(c, kubeflow_as(c), [run(p)]),
        (("no", "no"), *SHOWN[1:]),
    ),
    "apps.runs.selectors.runs_list": (lambda c, w, p: selectors.runs_list(c, kubeflow_as(c), RunFilters()).items, READERS),
    "apps.runs.selectors.runs_tagged": (
        lambda c, w, p: selectors.runs_tagged(c, kubeflow_as(c), f"tag of {p['namespace']}"),
        (("no", "no"), *SHOWN[1:]),
    ),
    "apps.runs.selectors.tag_choices": (lambda c, w, p: selectors.tag_choices(c, kubeflow_as(c)), (("no", "no"), *SHOWN[1:])),
    "apps.runs.selectors.tags_of": (lambda c, w, p: selectors.tags_of(c, kubeflow_as(c), [run(p)]), BOTH["LOOKERS"]),
    "apps.runs.selectors.run_tags": (lambda c, w, p: selectors.run_tags(c, "mesh", run(p)), BOTH["LOOKERS"]),
    "apps.runs.selectors.metrics_kept": (
        lambda c, w, p: selectors.metrics_kept(c, kubeflow_as(c), [run(p)]) == {},
        BOTH["LOOKERS"],
    ),
    "apps.runs.selectors.saved_filters": (
        lambda c, w, p: selectors.saved_filters(c, "mesh").filter(pk=p["filter"]),
        (("no", "no"), ("none", "none"), ("in", "none"), ("none", "in"), ("none", "none"), ("none", "none")),
    ),
    # Reading visualizations.
    "apps.visualizations.selectors.visualizations_visible": (
        lambda c, w, p: results.visualizations_visible(c).filter(namespace=p["namespace"]),
        SHOWN,
    ),
    "apps.visualizations.selectors.renders_visible": (
        lambda c, w, p: results.renders_visible(c).filter(visualization__namespace=p["namespace"]),
        SHOWN,
    ),
    "apps.visualizations.selectors.render_ids_visible": (
        lambda c, w, p: results.render_ids_visible(c, [str(p["render"]), "nonsense"]),
        SHOWN,
    ),
    "apps.visualizations.selectors.sees_all_renders": (
        lambda c, w, p: results.sees_all_renders(c),
        (*(("none", "none"),) * 5, ("in", "in")),
    ),
    "apps.visualizations.selectors.may_change": (
        lambda c, w, p: results.may_change(c, visualization(p)),
        (("none", "none"), ("none", "none"), ("in", "none"), ("none", "in"), ("in", "in"), ("in", "in")),
    ),
    "apps.visualizations.selectors.visualization_get": (
        lambda c, w, p: results.visualization_get(c, p["visualization"]),
        HIDDEN,
    ),
    "apps.visualizations.selectors.render_get": (lambda c, w, p: results.render_get(c, p["render"]), HIDDEN),
    "apps.visualizations.selectors.render_by_number": (
        lambda c, w, p: results.render_by_number(c, p["visualization"], 1),
        HIDDEN,
    ),
    "apps.visualizations.selectors.renders_of": (lambda c, w, p: results.renders_of(c, visualization(p)), SHOWN),
    "apps.visualizations.selectors.visualization_list": (
        lambda c, w, p: results.visualization_list(c, run_id=p["run"]),
        SHOWN,
    ),
    "apps.visualizations.selectors.visualization_counts": (
        lambda c, w, p: results.visualization_counts(c, [p["run"]]),
        SHOWN,
    ),
    "apps.visualizations.selectors.render_with_receipt": (
        lambda c, w, p: results.render_with_receipt(c, f"receipt of {p['namespace']}"),
        SHOWN,
    ),
    "apps.visualizations.selectors.queue_list": (lambda c, w, p: results.queue_list(c).filter(pk=p["queued"]), SHOWN),
    "apps.visualizations.selectors.queued_count": (
        lambda c, w, p: results.queued_count(c),
        (("none", "none"), ("none", "none"), ("in", "in"), ("in", "in"), ("none", "none"), ("none", "none")),
    ),
    "apps.visualizations.origins.run_now": (lambda c, w, p: origins.run_now(c, visualization(p)), READERS),
    "apps.visualizations.origins.artifact_now": (lambda c, w, p: origins.artifact_now(c, visualization(p)), READERS),
    "apps.visualizations.origins.gateway_of": (
        lambda c, w, p: origins.gateway_of(c, visualization(p)),
        BOTH["LOOKERS"],
    ),
    "apps.visualizations.services.live.live_read": (lambda c, w, p: live.live_read(c, render(p)), BOTH["LOOKERS"]),
    "apps.visualizations.services.live.live_page": (
        lambda c, w, p: live.live_page(c, render(p)) is None,
        BOTH["LOOKERS"],
    ),
    "apps.visualizations.kfp_service.ends.end_read": (lambda c, w, p: ends.end_read(c, p["render"]), ITS_PERSON),
    # Changing visualizations.
    "apps.visualizations.services.submission.visualization_create": (
        lambda c, w, p: submission.visualization_create(c, request(p, force=True), kubeflow_as(c)),
        TAGGERS,
    ),
    "apps.visualizations.services.submission.visualization_create_anew": (
        lambda c, w, p: submission.visualization_create_anew(c, custom(), w.new_id(), place=("mesh", p["namespace"])),
        TAGGERS,
    ),
    "apps.visualizations.services.submission.queue_check": (
        lambda c, w, p: submission.queue_check(c) or True,
        BOTH["EVERYBODY"],
    ),
    "apps.visualizations.services.submission.render_again": (
        lambda c, w, p: submission.render_again(c, visualization(p)),
        AGAIN,
    ),
    "apps.visualizations.services.submission.render_again_for_owner": (
        lambda c, w, p: submission.render_again_for_owner(c, visualization(p)),
        BOTH["ADMINISTRATORS"],
    ),
    "apps.visualizations.services.bulk.visualizations_chosen": (
        lambda c, w, p: bulk.visualizations_chosen(c),
        BOTH["ADMINISTRATORS"],
    ),
    "apps.visualizations.services.titles.title_change": (
        lambda c, w, p: titles.title_change(c, visualization(p), "x") or True,
        CHANGERS,
    ),
    "apps.visualizations.services.withdrawal.render_cancel": (
        lambda c, w, p: withdrawal.render_cancel(c, render(p, "queued")),
        CHANGERS,
    ),
    "apps.visualizations.services.withdrawal.render_withdraw": (
        lambda c, w, p: withdrawal.render_withdraw(c, p["queued"]) or True,
        ITS_PERSON,
    ),
    "apps.visualizations.services.withdrawal.visualization_delete": (
        lambda c, w, p: withdrawal.visualization_delete(c, visualization(p)) or True,
        CHANGERS,
    ),
    "apps.visualizations.services.tokens.token_create": (
        lambda c, w, p: tokens.token_create(c, ApiToken(user=p["owner"], name="x")),
        ITS_PERSON,
    ),
    "apps.visualizations.services.tokens.token_revoke": (
        lambda c, w, p: tokens.token_revoke(c, token(p)) or True,
        CHANGERS,
    ),
    # the checks themselves
    "apps.visualizations.services.rights.right_check": (
        lambda c, w, p: rights.right_check(c, Right.CREATE) or True,
        BOTH["MAKERS"],
    ),
    "apps.visualizations.services.rights.change_check": (
        lambda c, w, p: rights.change_check(c, visualization(p)) or True,
        CHANGERS,
    ),
    "apps.visualizations.services.rights.namespace_check": (
        lambda c, w, p: rights.namespace_check(c, "mesh", p["namespace"]) or True,
        HIDDEN,
    ),
    "apps.visualizations.services.rights.waiter_check": (
        lambda c, w, p: rights.waiter_check(c, render(p)) or True,
        ITS_PERSON,
    ),
    "apps.visualizations.services.rights.record": (
        lambda c, w, p: rights.record(c, "x", visualization(p)) or True,
        BOTH["EVERYBODY"],
    ),
}

# Asked through its address (test_access_matrix.py), since it waits for a worker.
ASKED_BY_ADDRESS = {"apps.visualizations.kfp_service.waiting.visualization_render"}

# Only the portal's own processes call these: workers, the reconciler, `manage.py prune`, the migration.
SYSTEM = {
    "apps.people.roles.groups_write": "after each migration",
    "apps.people.local.local_user_get": "who is signed in where nobody signs in",
    "apps.runs.gateway.gateway_for_service": "workers and health, with the portal's own rights",
    "apps.runs.gateway.gateway_unsealed": "workers, with the credential that the caller left for its render",
    "apps.visualizations.events.publish": "workers and the services that change a render: ids and states",
    "apps.visualizations.events.message": "as publish",
    "apps.visualizations.events.connection_get": "the process's own connection",
    "apps.visualizations.services.assets.assets_publish": "workers: library code",
    "apps.visualizations.services.credentials.credential_keep": "submission, after it checked the caller",
    "apps.visualizations.services.credentials.credential_drop": "workers",
    "apps.visualizations.services.credentials.render_gateway": "workers",
    "apps.visualizations.services.execution.render_execute": "workers",
    "apps.visualizations.services.hosts.*": "workers; hosts_read: health, metrics and the admin site, which know who asks",
    "apps.visualizations.services.lease.*": "workers",
    "apps.visualizations.services.live.live_tell": "workers",
    "apps.visualizations.services.pruning.*": "manage.py prune",
    "apps.visualizations.services.results.*": "workers, and services that checked the caller",
    "apps.visualizations.services.upkeep.*": "the reconciler",
}

# How a caller is found: there is none yet.
SIGNING_IN = {
    "apps.people.audit.connect_signals",
    "apps.people.sessions.connect_signals",
    "apps.people.sessions.admin_idle_s",
    "apps.people.sessions.admin_use_note",
    "apps.people.lockout.connect_signals",
    "apps.people.lockout.locked_page",
    "apps.people.roles.may",
    "apps.people.roles.role_for",
    "apps.people.roles.role_set",
    "apps.visualizations.services.tokens.token_user",
}

# Nothing in these is anybody's: types, words, numbers, or a part of an object that a selector gave the caller.
NOBODYS = {
    "apps.people.roles.refusal",
    "apps.runs.access.is_divided",
    "apps.runs.selectors.artifact_get",
    "apps.runs.selectors.artifact_within",
    "apps.runs.selectors.experiment_choices",
    "apps.runs.selectors.named",
    "apps.runs.selectors.pipeline_choices",
    "apps.runs.selectors.step_get",
    "apps.runs.services.metrics_of",
    "apps.runs.services.tag_clean",
    "apps.visualizations.origins.artifact_of",
    "apps.visualizations.origins.is_stale",
    "apps.visualizations.selectors.oldest_wait_s",
    "apps.visualizations.selectors.queue_counts",
    "apps.visualizations.selectors.queue_place",
    "apps.visualizations.selectors.tfx_type",
    "apps.visualizations.selectors.type_*",
    "apps.visualizations.services.assets.asset_open",
    "apps.visualizations.services.assets.inline_assets",
    "apps.visualizations.services.assets.inline_assets_bytes",
    "apps.visualizations.services.assets.inlined",
    "apps.visualizations.services.bulk.is_stale",
    "apps.visualizations.services.orders.*",
    "apps.visualizations.services.scripts.*",
}

# What changes something in Kubeflow; only apps.runs.actions may name these.
KUBEFLOW_WRITERS = {
    "experiment_create",
    "pipeline_upload",
    "pipeline_version_upload",
    "recurring_run_delete",
    "recurring_run_disable",
    "recurring_run_enable",
    "run_archive",
    "run_create",
    "run_delete",
    "run_retry",
    "run_terminate",
    "run_unarchive",
}
