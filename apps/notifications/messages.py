"""Contents of messages: the facts as JSON, and the same as lines of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from apps.notifications.models import Alert
from apps.promotion.models import Version, VersionState
from apps.rules.models import Rule
from apps.visualizations.models import Render

_MOST_TEXT: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A key figure of a render, as an alert compares it.

    Attributes:
        reference: figure of the baseline or of the previous render; None if there is none, or if a threshold is
            compared.
    """

    name: str
    value: float
    unit: str
    reference: float | None = None
    is_baseline: bool = False


def public_url(path: str) -> str:
    """Returns a page's absolute URL, for use in messages."""
    host, _, port = settings.VIZPORTAL_BIND.rpartition(":")
    reached = "127.0.0.1" if host in {"", "0.0.0.0", "[::]", "::"} else host  # noqa: S104  (not bound here)
    return f"{settings.VIZPORTAL_PUBLIC_URL or f'http://{reached}:{port}'}{path}"


def render_message(
    alert: Alert, render: Render, figure: Compared | None = None, *, is_recovered: bool = False
) -> dict[str, Any]:
    """Returns the message about a render.

    Args:
        figure: the figure that the alert compares; None if it compares none.
        is_recovered: the figure is back, or a render succeeded after a failed one.
    """
    visualization = render.visualization
    facts: dict[str, Any] = {
        "visualization": {"id": str(visualization.id), "title": visualization.title, "type": visualization.type_key},
        "run": {"id": visualization.run_id, "name": visualization.run_name},
        "pipeline": visualization.pipeline_name,
        "render": {
            "id": str(render.id),
            "state": str(render.state),
            "reason": render.reason,
            "message": _one_line(render.message),
        },
    }
    headline = f"{'Works again' if is_recovered else render.known_state.label}: {visualization.title}"
    details = [_one_line(render.message)] if render.message else []
    if figure is not None:
        facts["figure"] = _figure_facts(alert, figure)
        of_figure = _recovered_headline(alert, figure) if is_recovered else _figure_headline(alert, figure)
        headline = f"{of_figure}: {visualization.title}"
        details = [_figure_line(facts["figure"])]
    details += [f"Run: {visualization.run_name or visualization.run_id}"] if visualization.run_id else []
    details += [f"Pipeline: {visualization.pipeline_name}"] if visualization.pipeline_name else []
    return _message(
        alert, headline, details, facts | {"is_recovered": is_recovered}, public_url(render.get_absolute_url())
    )


def rule_message(
    alert: Alert, rule: Rule, run: tuple[str, str] | None, text: str, *, is_recovered: bool = False
) -> dict[str, Any]:
    """Returns the message about a rule.

    Args:
        run: id and name of the run that failed, or that was rendered again; None if the rule was paused.
        text: the cause; "" for none.
    """
    state = "working" if is_recovered else "failed" if run else "paused"
    facts: dict[str, Any] = {
        "rule": {"id": str(rule.id), "title": rule.name, "state": state},
        "pipeline": rule.pipeline_pattern or rule.recipe.pipeline_name,
        "message": _one_line(text),
        "is_recovered": is_recovered,
    }
    details = [_one_line(text)] if text else []
    if run:
        facts["run"] = {"id": run[0], "name": run[1]}
        details.append(f"Run: {run[1] or run[0]}")
    headline = f"A run of the rule {rule.name} failed" if run else f"The rule {rule.name} was paused"
    if is_recovered:
        headline = f"The rule {rule.name} renders again"
    return _message(alert, headline, details, facts, public_url(rule.get_absolute_url()))


def trial_message(alert: Alert) -> dict[str, Any]:
    """Returns the message that tests an alert's targets."""
    headline = f"Test of the alert {alert.name}"
    details = ["Somebody sent this message to test the alert. Nothing has happened."]
    return _message(alert, headline, details, {"is_test": True}, public_url(alert.get_absolute_url()))


def proposal_message(version: Version) -> dict[str, Any]:
    """Returns the message about a proposal: to reviewers about a new version, to its author about the decision."""
    state, url = version.known_state, public_url(version.proposal.get_absolute_url())
    named = f"{version.title}, version {version.number}"
    if state is VersionState.PROPOSED:
        title = _one_line(f"To review: {named}")
        details = [f"{version.proposal.author_name} proposes custom code as the type {version.key}."]
    else:
        title = _one_line(f"{state.label}: {named}")
        details = [f"{version.reviewer_name or 'An administrator'} decided on your proposal."]
        details += [_one_line(version.comment)] if version.comment.strip() else []
    return {"event": state.value, "title": title, "url": url, "lines": [title, "", *details, "", url]}


def _message(alert: Alert, headline: str, details: list[str], facts: dict[str, Any], url: str) -> dict[str, Any]:
    title = _one_line(headline)
    lines = [title, "", *details, "", url, "", f"Sent by the alert {_one_line(alert.name)}: "]
    lines[-1] += public_url(alert.get_absolute_url())
    return {
        "event": alert.event,
        "title": title,
        "alert": {"id": str(alert.id), "title": alert.name},
        **facts,
        "url": url,
        "created_at": timezone.now().isoformat(),
        "lines": lines,
        "slack": "\n".join([f"*<{url}|{_slack(title)}>*", *map(_slack, details)]),
    }


def _figure_facts(alert: Alert, figure: Compared) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": figure.name, "value": figure.value, "unit": figure.unit}
    if figure.reference is None:
        return facts | {"direction": alert.direction, "threshold": alert.threshold}
    delta = figure.value - figure.reference
    return facts | {
        "reference": figure.reference,
        "is_baseline": figure.is_baseline,
        "delta": delta,
        "percent": delta / abs(figure.reference) * 100 if figure.reference else None,
        "most": alert.change,
        "is_percent": alert.is_percent,
    }


def _figure_headline(alert: Alert, figure: Compared) -> str:
    value = f"{figure.value:.6g} {figure.unit}".rstrip()
    if figure.reference is None:
        return f"{figure.name} is {value}, {alert.direction} {alert.threshold:g}"
    return f"{figure.name} changed from {figure.reference:.6g} to {value}"


def _recovered_headline(alert: Alert, figure: Compared) -> str:
    value = f"{figure.value:.6g} {figure.unit}".rstrip()
    if figure.reference is None:
        return f"{figure.name} is {value}, no longer {alert.direction} {alert.threshold:g}"
    return f"{figure.name} is {value}, near the baseline {figure.reference:.6g} again"


def _figure_line(facts: dict[str, Any]) -> str:
    value = f"{facts['name']}: {facts['value']:.6g} {facts['unit']}".rstrip()
    if "threshold" in facts:
        return f"{value} (threshold {facts['threshold']:g})"
    percent = "" if facts["percent"] is None else f", {facts['percent']:+.3g} %"
    of = "baseline" if facts["is_baseline"] else "render before"
    return f"{value} ({of} {facts['reference']:.6g}, change {facts['delta']:+.6g}{percent})"


def _one_line(text: str) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= _MOST_TEXT else f"{clean[: _MOST_TEXT - 1]}…"


def _slack(text: str) -> str:
    # Slack's documentation requires escaping only these three characters; * and _ merely change the formatting.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
