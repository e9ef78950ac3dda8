"""Template tags and filters of the portal's own words: states, times, sizes, values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.caller import caller_of
from apps.accounts.rights import Right
from apps.runs import selectors
from apps.runs.entities import RecurringRun, Run, ShownState, State
from apps.runs.gateway.endpoints import endpoint
from vizportal.templatetags.site import icon

register = template.Library()

# Significant digits of a metric, and those that tell any two floats apart.
_DIGITS: Final = 4
_ALL_DIGITS: Final = 17
_UNITS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


@register.simple_tag
def state_badge(state: ShownState | str) -> SafeString:
    """Draws a state by shape, colour and word.

    Args:
        state: of a run, a step or a render; or a run state's value, UNKNOWN for any other text.
    """
    shown = state if isinstance(state, ShownState) else State.by_value(state) or State.UNKNOWN
    classes = f"state state-{shown.value} tone-{shown.tone}"
    return format_html('<span class="{}">{}{}</span>', classes, icon(shown.icon), shown.label)


@register.simple_tag
def when(moment: datetime | None, empty: str = "-") -> SafeString:
    """Draws a time as "3 minutes ago" with the exact one on hover; a script keeps it fresh."""
    if not moment:  # a template makes "" of what is missing further up
        return format_html('<span class="muted">{}</span>', empty)
    exact = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        exact.isoformat(),
        f"{exact:%Y-%m-%d %H:%M:%S} UTC",
        _ago(timezone.now() - exact),
    )


def _ago(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    if abs(seconds) < 5:
        return "just now"
    size, unit = next(pair for pair in _UNITS if abs(seconds) >= pair[0])
    count = round(abs(seconds) / size)
    words = f"{count} {unit}{'s' if count != 1 else ''}"
    return f"{words} ago" if seconds > 0 else f"in {words}"


@register.filter
def duration(value: timedelta | float | None) -> str:
    """Returns a length of time in two units at most (`1m 12s`); takes a timedelta or seconds, "" for None."""
    if value is None:
        return ""
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes}m {rest:02d}s"
    days, hours = divmod(hours, 24)
    return f"{days}d {hours}h" if days else f"{hours}h {minutes:02d}m"


@register.filter
def bytesize(value: float | None) -> str:
    """Returns a number of bytes in people's units (1024 steps); "" for None."""
    if value is None:
        return ""
    size = float(value)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"


@register.filter
def as_json(value: Any) -> str:
    """Returns a value as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def value_text(value: Any) -> str:
    """Returns a parameter's or metadata's value on one line: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


@register.filter
def type_name(artifact_type: str) -> str:
    """Returns an artifact's type without Kubeflow's `system.` prefix."""
    return artifact_type.removeprefix("system.")


@register.filter
def is_record(value: Any) -> bool:
    """Whether a value is a list or an object, which is shown over several lines."""
    return isinstance(value, list | dict)


@register.simple_tag(takes_context=True)
def address(context: Any, **changes: Any) -> str:
    """Returns this page's address with some query values changed; None takes one away."""
    return address_changed(context, changes)


@register.inclusion_tag("runs/_run_tags.html", takes_context=True)
def run_tags(context: Any, run: Run) -> dict[str, Any]:
    """Draws a run's tags, with the way to add and remove them for who may."""
    caller = caller_of(context["request"])
    key = endpoint(caller.endpoint_key).key
    return {
        "run": run,
        "tags": selectors.run_tags(caller, key, run),
        "may_change": caller.may(Right.CREATE),
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag
def name_of(names: Mapping[str, str], key: str) -> str:
    """Returns the name of an id, or the id itself where the name is not known."""
    return names.get(key, key)


@register.filter
def schedule(recurring: RecurringRun) -> str:
    """Returns when a schedule starts runs, in words."""
    if recurring.cron:
        return f"cron {recurring.cron}"
    if recurring.interval_s:
        return f"every {duration(float(recurring.interval_s))}"
    return "not known"


@register.filter
def at(items: Sequence[Any], index: int) -> Any:
    """Returns the item at a place, such as the run that belongs to a column."""
    return items[index]


@register.filter
def metric(value: float, digits: int = _DIGITS) -> str:
    """Returns a metric as people compare it: four significant digits, whole numbers as they are."""
    if isinstance(value, int) or (math.isfinite(value) and value == int(value) and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:.{digits}g}"


@register.filter
def told_apart(values: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Returns (text, value) of the metrics of one row, with as many digits as tell different ones apart.

    What is no number stays as it is.
    """
    numbers = {value for value in values if isinstance(value, int | float) and not isinstance(value, bool)}
    for digits in range(_DIGITS, _ALL_DIGITS + 1):
        texts = {value: metric(value, digits) for value in numbers}
        if len(set(texts.values())) == len(numbers):
            break
    return [(texts[value] if value in numbers else value, value) for value in values]


@register.simple_tag(takes_context=True)
def address_changed(context: Any, changes: Mapping[str, Any]) -> str:
    """Returns this page's address with the query values of a mapping changed; None takes one away."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in {None, ""}:
            query[name] = value
    encoded = query.urlencode()
    return f"?{encoded}" if encoded else context.get("list_path") or context["request"].path
