"""What each public function about visualizations returns for each role (outcomes.py)."""

# ruff: noqa: ARG005
# Each call takes the same three arguments, (caller, world, place), and is one expression.

from dataclasses import replace
from types import SimpleNamespace

from django.utils import timezone

from apps.accounts.rights import Right
from apps.gallery import selectors as gallery
from apps.gallery import services as gallery_services
from apps.gallery.filters import GalleryFilters
from apps.kfp_service import ends
from apps.preservation import selectors as preserved
from apps.preservation.models import PreservedRun
from apps.visualizations import provenance
from apps.visualizations import selectors as results
from apps.visualizations.models import ApiToken, Recipe, Render, Visualization
from apps.visualizations.services import (
    bulk,
    cancellation,
    comparisons,
    live,
    rights,
    series,
    staleness,
    submission,
    titles,
    tokens,
)
from apps.visualizations.services.again import render_again, render_again_for_owner
from apps.visualizations.services.queueing import queue_check
from apps.visualizations.services.requests import VisualizationRequest, request_check
from tests.access.calls_of_runs import kubeflow_as
from tests.access.outcomes import (
    ADMINISTRATORS,
    AGAIN,
    CHANGERS,
    EVERYBODY,
    HIDDEN,
    ITS_PERSON,
    LOOKERS,
    MAKERS,
    READERS,
    SHOWN,
    TAGGERS,
)


def request(place, **more):
    values = {"type_key": "table", "run_id": place["run"], "step_id": place["step"], "artifact_name": "data", **more}
    return VisualizationRequest(**values)


def visualization(place):
    return Visualization.objects.get(pk=place["visualization"])


def render(place, name="render"):
    return Render.objects.get(pk=place[name])


def recipe(place):
    return Recipe.objects.get(pk=place["recipe"])


def deleted(place):
    Visualization.objects.filter(pk=place["visualization"]).update(deleted_at=timezone.now())
    return place["visualization"]


def checked(asking, world, place):
    """Returns a request that a superuser made."""
    return request_check(request(place), kubeflow_as(replace(asking, user=world.people["superuser"])))


def copy_of(place):
    """Returns a copy of a run as a selector gave it to a caller who may see it."""
    return SimpleNamespace(row=PreservedRun.objects.get(run_id=place["run"]))


def second(place):
    """Returns an unsaved render that follows the existing one."""
    return Render(visualization_id=place["visualization"], number=2)


def token(place):
    return ApiToken.objects.get(pk=place["token"])


def custom():
    return VisualizationRequest(type_key="custom", code="1")


CALLED = {
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
    "apps.visualizations.selectors.recipe_get": (lambda c, w, p: results.recipe_get(c, p["recipe"]), HIDDEN),
    "apps.visualizations.selectors.series_list": (lambda c, w, p: results.series_list(c, recipe(p)), SHOWN),
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
    "apps.visualizations.provenance.run_now": (lambda c, w, p: provenance.run_now(c, visualization(p)), READERS),
    "apps.visualizations.provenance.artifact_now": (
        lambda c, w, p: provenance.artifact_now(c, visualization(p)),
        READERS,
    ),
    "apps.visualizations.provenance.gateway_of": (
        lambda c, w, p: provenance.gateway_of(c, visualization(p)),
        LOOKERS,
    ),
    "apps.visualizations.services.live.live_read": (lambda c, w, p: live.live_read(c, render(p)), LOOKERS),
    "apps.visualizations.services.live.live_page": (
        lambda c, w, p: live.live_page(c, render(p)) is None,
        LOOKERS,
    ),
    "apps.gallery.selectors.visualizations_find": (
        lambda c, w, p: gallery.visualizations_find(c, GalleryFilters(run=p["run"], state="all")).ids,
        SHOWN,
    ),
    "apps.gallery.selectors.visualizations_page": (
        lambda c, w, p: gallery.visualizations_page(c, [p["visualization"]]),
        SHOWN,
    ),
    "apps.gallery.selectors.visualizations_chosen": (
        lambda c, w, p: gallery.visualizations_chosen(c, [str(p["visualization"])], 5),
        SHOWN,
    ),
    "apps.gallery.selectors.renders_compared": (
        lambda c, w, p: gallery.renders_compared(c, [str(p["visualization"])], [str(p["render"])], 5),
        SHOWN,
    ),
    "apps.gallery.selectors.latest_renders": (
        lambda c, w, p: gallery.latest_renders(c, [p["visualization"]]),
        SHOWN,
    ),
    "apps.gallery.selectors.renders_of_comparison": (
        lambda c, w, p: gallery.renders_of_comparison(c, Visualization.objects.get(pk=p["comparison"])),
        SHOWN,
    ),
    "apps.gallery.selectors.series_rows": (lambda c, w, p: gallery.series_rows(c, recipe(p), 5), SHOWN),
    "apps.gallery.selectors.render_before": (
        lambda c, w, p: gallery.render_before(c, second(p)),
        SHOWN,
    ),
    "apps.gallery.selectors.favourites_among": (
        lambda c, w, p: gallery.favourites_among(c, [p["visualization"]]),
        (("none", "none"), ("none", "none"), ("in", "none"), ("none", "in"), ("none", "none"), ("none", "none")),
    ),
    "apps.gallery.services.favourite_set": (
        lambda c, w, p: gallery_services.favourite_set(c, visualization(p), is_favourite=True) or True,
        LOOKERS,
    ),
    "apps.gallery.services.selection_act": (
        lambda c, w, p: gallery_services.selection_act(c, [visualization(p)], "pin")[0],
        (("none", "none"), ("none", "none"), ("in", "none"), ("none", "in"), ("in", "in"), ("in", "in")),
    ),
    "apps.gallery.services.selection_export": (
        lambda c, w, p: bool(gallery_services.selection_export(c, [visualization(p)])),
        LOOKERS,
    ),
    "apps.kfp_service.ends.end_read": (lambda c, w, p: ends.end_read(c, p["render"]), ITS_PERSON),
    # Changing visualizations.
    "apps.visualizations.services.submission.visualization_create": (
        lambda c, w, p: submission.visualization_create(c, request(p, force=True), kubeflow_as(c)),
        TAGGERS,
    ),
    "apps.visualizations.services.submission.visualization_create_anew": (
        lambda c, w, p: submission.visualization_create_anew(c, custom(), w.new_id(), place=("mesh", p["namespace"])),
        TAGGERS,
    ),
    "apps.visualizations.services.series.recipe_apply": (
        lambda c, w, p: series.recipe_apply(c, recipe(p), p["run"], kubeflow_as(c)),
        TAGGERS,
    ),
    "apps.visualizations.services.series.baseline_set": (
        lambda c, w, p: series.baseline_set(c, visualization(p), is_baseline=True) or True,
        CHANGERS,
    ),
    "apps.visualizations.services.comparisons.comparison_create": (
        lambda c, w, p: comparisons.comparison_create(c, [p["render"], p["twin"]]),
        TAGGERS,
    ),
    "apps.visualizations.services.submission.request_submit": (
        lambda c, w, p: submission.request_submit(c, checked(c, w, p)),
        TAGGERS,
    ),
    "apps.preservation.selectors.run_copy_exists": (
        lambda c, w, p: preserved.run_copy_exists(c, visualization(p)) or None,
        SHOWN,
    ),
    "apps.preservation.selectors.run_copy_get": (lambda c, w, p: preserved.run_copy_get(c, visualization(p)), HIDDEN),
    "apps.preservation.selectors.log_copy_get": (
        lambda c, w, p: preserved.log_copy_get(c, visualization(p), copy_of(p), "read-data"),
        HIDDEN,
    ),
    "apps.visualizations.services.staleness.origin_findings": (
        lambda c, w, p: staleness.origin_findings(c, visualization(p)) or True,
        HIDDEN,
    ),
    "apps.visualizations.services.staleness.visualization_findings": (
        lambda c, w, p: staleness.visualization_findings(c, visualization(p)) or True,
        HIDDEN,
    ),
    "apps.visualizations.provenance.gateway_hurried": (
        lambda c, w, p: provenance.gateway_hurried(c, visualization(p)).run_details(p["run"]),
        READERS,
    ),
    "apps.visualizations.services.queueing.queue_check": (
        lambda c, w, p: queue_check(c) or True,
        EVERYBODY,
    ),
    "apps.visualizations.services.again.render_again": (
        lambda c, w, p: render_again(c, visualization(p)),
        AGAIN,
    ),
    "apps.visualizations.services.again.render_again_for_owner": (
        lambda c, w, p: render_again_for_owner(c, visualization(p)),
        ADMINISTRATORS,
    ),
    "apps.visualizations.services.bulk.visualizations_chosen": (
        lambda c, w, p: bulk.visualizations_chosen(c),
        ADMINISTRATORS,
    ),
    "apps.visualizations.services.titles.title_change": (
        lambda c, w, p: titles.title_change(c, visualization(p), "x") or True,
        CHANGERS,
    ),
    "apps.visualizations.services.titles.notes_change": (
        lambda c, w, p: titles.notes_change(c, visualization(p), "x") or True,
        CHANGERS,
    ),
    "apps.visualizations.services.titles.tags_change": (
        lambda c, w, p: titles.tags_change(c, visualization(p), add=["x"]) or True,
        CHANGERS,
    ),
    "apps.visualizations.services.titles.pin_set": (
        lambda c, w, p: titles.pin_set(c, visualization(p), is_pinned=True) or True,
        CHANGERS,
    ),
    "apps.visualizations.services.cancellation.render_cancel": (
        lambda c, w, p: cancellation.render_cancel(c, render(p, "queued")),
        CHANGERS,
    ),
    "apps.visualizations.services.cancellation.render_cancel_unfinished": (
        lambda c, w, p: cancellation.render_cancel_unfinished(c, p["queued"]) or True,
        ITS_PERSON,
    ),
    "apps.visualizations.services.cancellation.visualization_delete": (
        lambda c, w, p: cancellation.visualization_delete(c, visualization(p)) or True,
        CHANGERS,
    ),
    "apps.visualizations.services.cancellation.visualization_restore": (
        lambda c, w, p: cancellation.visualization_restore(c, deleted(p)),
        TAGGERS,
    ),
    "apps.visualizations.services.tokens.token_create": (
        lambda c, w, p: tokens.token_create(c, ApiToken(user=p["owner"], name="x")),
        ITS_PERSON,
    ),
    "apps.visualizations.services.tokens.token_revoke": (
        lambda c, w, p: tokens.token_revoke(c, token(p)) or True,
        CHANGERS,
    ),
    # The checks themselves.
    "apps.visualizations.services.rights.right_check": (
        lambda c, w, p: rights.right_check(c, Right.CREATE) or True,
        MAKERS,
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
        EVERYBODY,
    ),
}
