"""What each public function of promotion returns for each role (outcomes.py)."""

# ruff: noqa: ARG005

from apps.promotion import checks, decisions, selectors, services
from apps.promotion.models import Proposal, Version
from apps.visualizations.models import Render
from tests.access.outcomes import ADMINISTRATORS, ITS_PERSON, SHOWN, both

# Authors see their own proposals; reviewers see proposed ones of every namespace.
_NONE = ("none", "none")
PROPOSED = (_NONE, _NONE, ("in", "none"), ("none", "in"), ("in", "in"), ("in", "in"))
PROPOSED_404 = (
    ("404", "404"),
    ("404", "404"),
    ("in", "404"),
    ("404", "in"),
    ("in", "in"),
    ("in", "in"),
)
OWN = (_NONE, _NONE, ("in", "none"), ("none", "in"), _NONE, _NONE)
REVIEWERS = both("none none none none in in")
# A sample is looked up like any render, and must then be the caller's own.
SAMPLE = (("404", "404"), ("no", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("no", "no"))


def proposal(place):
    return Proposal.objects.get(pk=place["proposal"])


def version(place):
    return Version.objects.get(proposal=place["proposal"], number=1)


def sample(place):
    return Render.objects.get(pk=place["sample"])


def with_draft(place):
    """Returns the proposal with its version back in draft."""
    found = proposal(place)
    found.versions.update(state="draft")
    return found


def with_type(place):
    """Returns the proposal with an approved type."""
    found = proposal(place)
    older = Version.objects.create(proposal=found, number=0, file="", key="x", title="x", state="approved")
    Proposal.objects.filter(pk=found.pk).update(key="x", approved=older)
    return proposal(place)


_S = "apps.promotion.selectors."
_W = "apps.promotion.services."
_D = "apps.promotion.decisions."
CALLED = {
    _S + "proposals_visible": (lambda c, w, p: selectors.proposals_visible(c).filter(pk=p["proposal"]), PROPOSED),
    _S + "proposals_own": (lambda c, w, p: selectors.proposals_own(c).filter(pk=p["proposal"]), OWN),
    _S + "proposals_pending": (lambda c, w, p: selectors.proposals_pending(c).filter(pk=p["proposal"]), REVIEWERS),
    _S + "review_count": (lambda c, w, p: selectors.review_count(c) or None, REVIEWERS),
    _S + "proposals_decided": (
        lambda c, w, p: with_type(p) and selectors.proposals_decided(c).filter(pk=p["proposal"]),
        REVIEWERS,
    ),
    _S + "proposal_get": (lambda c, w, p: selectors.proposal_get(c, p["proposal"]), PROPOSED_404),
    _S + "versions_of": (lambda c, w, p: selectors.versions_of(c, proposal(p)), PROPOSED),
    _S + "version_get": (lambda c, w, p: selectors.version_get(c, proposal(p)), PROPOSED_404),
    _S + "version_before": (
        lambda c, w, p: with_type(p) and selectors.version_before(c, version(p)),
        PROPOSED,
    ),
    _S + "sample_of": (lambda c, w, p: selectors.sample_of(c, version(p)), SHOWN),
    _S + "is_author": (lambda c, w, p: selectors.is_author(c, proposal(p)), OWN),
    "apps.promotion.checks.may_review": (lambda c, w, p: checks.may_review(c, proposal(p)), REVIEWERS),
    _W + "sample_get": (lambda c, w, p: services.sample_get(c, p["sample"]), SAMPLE),
    _W + "draft_begin": (lambda c, w, p: services.draft_begin(c, sample(p)), ITS_PERSON),
    _W + "proposal_create": (lambda c, w, p: services.proposal_create(c, sample(p), p["file"]), ITS_PERSON),
    _W + "proposal_save": (lambda c, w, p: services.proposal_save(c, proposal(p), p["file"]), ITS_PERSON),
    _W + "proposal_propose": (lambda c, w, p: services.proposal_propose(c, with_draft(p)), ITS_PERSON),
    _W + "proposal_withdraw": (lambda c, w, p: services.proposal_withdraw(c, proposal(p)) or True, ITS_PERSON),
    _D + "proposal_approve": (lambda c, w, p: decisions.proposal_approve(c, proposal(p), 1), ADMINISTRATORS),
    _D + "proposal_reject": (lambda c, w, p: decisions.proposal_reject(c, proposal(p), 1, "x"), ADMINISTRATORS),
    _D + "proposal_retire": (lambda c, w, p: decisions.proposal_retire(c, with_type(p)) or True, ADMINISTRATORS),
}
