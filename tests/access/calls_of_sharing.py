"""What each public function of sharing returns for each role (outcomes.py)."""

# ruff: noqa: ARG005

from django.utils import timezone

from apps.sharing import opening, selectors, services
from apps.sharing.models import Share
from apps.visualizations.models import Visualization
from tests.access.outcomes import EVERYBODY, HIDDEN, ITS_PERSON

OWN = (("none", "none"), ("none", "none"), ("in", "none"), ("none", "in"), ("none", "none"), ("in", "in"))
OWN_HIDDEN = (("404", "404"), ("404", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in"))
# A link requires access to what it shows, and the permission to create.
MAKERS = (("no", "no"), ("no", "no"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in"))
REVOKERS = (("no", "no"), ("no", "no"), ("in", "no"), ("no", "in"), ("in", "in"), ("in", "in"))


def share(place):
    return Share.objects.get(pk=place["share"])


def visualization(place):
    return Visualization.objects.get(pk=place["visualization"])


CALLED = {
    "apps.sharing.selectors.shares_visible": (
        lambda c, w, p: selectors.shares_visible(c).filter(pk=p["share"]),
        OWN,
    ),
    "apps.sharing.selectors.share_get": (lambda c, w, p: selectors.share_get(c, p["share"]), OWN_HIDDEN),
    "apps.sharing.selectors.shares_of": (lambda c, w, p: selectors.shares_of(c, visualization(p)), OWN),
    "apps.sharing.services.share_create": (
        lambda c, w, p: services.share_create(c, visualization(p), now=timezone.now()),
        MAKERS,
    ),
    "apps.sharing.services.share_renew": (
        lambda c, w, p: services.share_renew(c, share(p), now=timezone.now()),
        ITS_PERSON,
    ),
    "apps.sharing.services.share_revoke": (
        lambda c, w, p: services.share_revoke(c, share(p), now=timezone.now()) or True,
        REVOKERS,
    ),
    "apps.sharing.services.share_use_note": (
        lambda c, w, p: services.share_use_note(c, share(p), now=timezone.now()) or True,
        EVERYBODY,
    ),
    # Links are not anonymous here: the visitor must have access too.
    "apps.sharing.opening.share_open": (
        lambda c, w, p: opening.share_open(c, p["token_of_share"], now=timezone.now()),
        HIDDEN,
    ),
}
