"""What each public function of reports returns for each role (outcomes.py)."""

# ruff: noqa: ARG005

from django.utils import timezone

from apps.reports import contexts, differences, drafting, offline, selectors, services
from apps.reports.blocks import Draft
from apps.reports.models import BlockKind, Report, ReportVersion
from apps.visualizations.exceptions import InvalidRequestError
from tests.access.outcomes import CHANGERS, HIDDEN, LOOKERS, SHOWN, TAGGERS

# Restoring an older version also requires permission to read it.
RESTORERS = (("404", "404"), ("no", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in"))
UNDELETERS = (("no", "no"), ("no", "no"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in"))
OWN = (("none", "none"), ("none", "none"), ("in", "none"), ("none", "in"), ("none", "none"), ("in", "in"))
CHANGEABLE = (("none", "none"), ("none", "none"), ("in", "none"), ("none", "in"), ("in", "in"), ("in", "in"))


def report(place):
    return Report.objects.get(pk=place["report"])


def version(place):
    return ReportVersion.objects.get(report=place["report"])


def result(place):
    return [Draft(kind=BlockKind.RENDER, target_id=place["render"])]


def deleted(place):
    Report.objects.filter(pk=place["report"]).update(deleted_at=timezone.now())
    return place["report"]


def titled(place):
    version(place).blocks.update(target_title="x")
    return report(place)


def is_named(caller, drafts):
    """Whether the caller may name these results."""
    try:
        drafting.blocks_check(caller, drafts)
    except InvalidRequestError:
        return None
    return True


CALLED = {
    "apps.reports.selectors.reports_visible": (
        lambda c, w, p: selectors.reports_visible(c).filter(pk=p["report"]),
        SHOWN,
    ),
    "apps.reports.selectors.report_get": (lambda c, w, p: selectors.report_get(c, p["report"]), HIDDEN),
    "apps.reports.selectors.reports_changeable": (
        lambda c, w, p: selectors.reports_changeable(c).filter(pk=p["report"]),
        OWN,
    ),
    "apps.reports.selectors.versions_of": (lambda c, w, p: selectors.versions_of(c, report(p)), SHOWN),
    "apps.reports.selectors.version_get": (lambda c, w, p: selectors.version_get(c, report(p)), HIDDEN),
    "apps.reports.selectors.version_blocks": (lambda c, w, p: selectors.version_blocks(c, version(p)), HIDDEN),
    "apps.reports.selectors.titles_kept": (lambda c, w, p: selectors.titles_kept(c, titled(p)), SHOWN),
    "apps.reports.selectors.blocks_shown": (
        lambda c, w, p: [each for each in selectors.blocks_shown(c, result(p)) if each.render],
        SHOWN,
    ),
    "apps.reports.selectors.results_named": (lambda c, w, p: selectors.results_named(c, result(p)), SHOWN),
    "apps.reports.contexts.report_context": (lambda c, w, p: contexts.report_context(c, report(p)), HIDDEN),
    "apps.reports.differences.versions_compare": (
        lambda c, w, p: differences.versions_compare(c, report(p), 1, 1),
        HIDDEN,
    ),
    "apps.reports.offline.report_file": (
        lambda c, w, p: b"".join(offline.report_file(c, version(p), selectors.blocks_shown(c, result(p)))),
        LOOKERS,
    ),
    "apps.reports.services.report_create": (
        lambda c, w, p: services.report_create(c, "x", [], endpoint_key="mesh", namespace=p["namespace"]),
        TAGGERS,
    ),
    "apps.reports.services.report_save": (lambda c, w, p: services.report_save(c, report(p), 1, "x", []), CHANGERS),
    "apps.reports.services.report_restore": (lambda c, w, p: services.report_restore(c, report(p), 1), RESTORERS),
    "apps.reports.services.report_append": (
        lambda c, w, p: services.report_append(c, report(p), result(p)),
        RESTORERS,
    ),
    "apps.reports.services.report_delete": (lambda c, w, p: services.report_delete(c, report(p)) or True, CHANGERS),
    "apps.reports.services.report_undelete": (lambda c, w, p: services.report_undelete(c, deleted(p)), UNDELETERS),
    "apps.reports.drafting.drafts_saved": (lambda c, w, p: drafting.drafts_saved(c, report(p), 1), HIDDEN),
    "apps.reports.drafting.place_for": (
        lambda c, w, p: drafting.place_for(c, result(p)) == ("mesh", p["namespace"]),
        (("in", "in"),) * 6,
    ),
    "apps.reports.drafting.blocks_check": (
        lambda c, w, p: is_named(c, result(p)),
        SHOWN,
    ),
}
