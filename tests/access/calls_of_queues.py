"""What each public function of the queue pages returns for each role (outcomes.py)."""

# ruff: noqa: ARG005

from apps.queues import selectors, services, statistics

ADMINISTRATORS = (("no", "no"),) * 4 + (("in", "in"),) * 2
# Rows of readable namespaces; others are only counted.
ROWS = (("none", "none"), ("in", "none"), ("in", "none"), ("none", "in"), ("none", "none"), ("in", "in"))


def listed(caller, place):
    """Returns the rows of one render on the page."""
    rows = [row for each in selectors.queue_view(caller) for row in each.rows]
    return [row for row in rows if row.render and row.render.pk == place["queued"]]


CALLED = {
    "apps.queues.selectors.queue_view": (lambda c, w, p: listed(c, p), ROWS),
    "apps.queues.services.queue_pause": (lambda c, w, p: services.queue_pause(c, "base", "x"), ADMINISTRATORS),
    "apps.queues.services.queue_resume": (
        lambda c, w, p: services.queue_resume(c, "nowhere") or True,
        ADMINISTRATORS,
    ),
    "apps.queues.statistics.statistics_read": (lambda c, w, p: statistics.statistics_read(c, 7), ADMINISTRATORS),
}
