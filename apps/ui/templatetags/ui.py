"""Template tags and filters for all apps: icons, states, times, sizes, addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from apps.ui import formats, icons, states, zones
from apps.ui.differences import DiffLine

# Beyond this age a date says more; same as OLD_S in static/js/times.js.
OLD: Final = timedelta(days=2)
register = template.Library()
register.simple_tag(icons.icon)
register.simple_tag(zones.zone_key)
for _filter in (
    formats.as_json,
    formats.bytesize,
    formats.duration,
    formats.is_record,
    formats.metric,
    formats.told_apart,
    formats.type_name,
    formats.value_text,
):
    register.filter(_filter)


@register.filter
def diff_text(lines: Iterable[DiffLine]) -> SafeString:
    """Returns a diff for a <pre>, in which the template's own white space would show."""
    return format_html_join("", '<span class="line {}">{}\n</span>', ((line.css, line.text) for line in lines))


@register.simple_tag
def state_badge(state: states.ShownState | Any) -> SafeString:
    """Renders a state as a badge; anything else, such as None, as unknown."""
    if not isinstance(state, states.ShownState):
        return _badge("unknown", states.Tone.IDLE, "circle-help", "Unknown")
    return _badge(state.value, state.tone, state.icon, state.label)


def _badge(value: str, tone: states.Tone, icon_name: str, label: str) -> SafeString:
    return format_html('<span class="state state-{} tone-{}">{}{}</span>', value, tone, icons.icon(icon_name), label)


@register.simple_tag
def when(moment: datetime | None, empty: str = "-") -> SafeString:
    """Renders a time as "3 minutes ago", an older one like `at`; exact on hover, and kept current by a script."""
    if not moment:  # templates turn missing values into ""
        return format_html('<span class="muted">{}</span>', empty)
    age = timezone.now() - moment
    text = formats.ago(age) if abs(age) < OLD else zones.local_text(moment)
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        moment.astimezone(UTC).isoformat(),
        zones.exact_text(moment),
        text,
    )


@register.simple_tag
def at(moment: datetime | None, empty: str = "-", *, seconds: bool = False) -> SafeString:
    """Renders a time in the reader's zone, with the zone's name; on hover to the second, and in UTC.

    Args:
        seconds: whether to show seconds in the text itself.
    """
    if not moment:
        return format_html('<span class="muted">{}</span>', empty)
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        moment.astimezone(UTC).isoformat(),
        zones.exact_text(moment),
        mark_safe(" data-seconds") if seconds else "",
        zones.local_text(moment, with_seconds=seconds),
    )


@register.simple_tag(takes_context=True)
def address(context: Any, **changes: Any) -> str:
    """Returns this page's address with some parameters changed; None removes one."""
    return address_changed(context, changes)


@register.simple_tag(takes_context=True)
def address_changed(context: Any, changes: Mapping[str, Any]) -> str:
    """Returns this page's address with the parameters in a mapping changed; None removes one."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in {None, ""}:
            query[name] = value
    encoded = query.urlencode()
    return f"?{encoded}" if encoded else context.get("list_path") or context["request"].path


@register.simple_tag(takes_context=True)
def sort_link(context: Any, label: str, field: str, sort: str, *, newest_first: bool = False) -> SafeString:
    """Renders a column's heading as a link that sorts the list by it, or reverses the order.

    Args:
        label: the column's heading.
        field: its name in the query; "-name" sorts in descending order.
        sort: the current order of the list.
        newest_first: whether the first click sorts in descending order.
    """
    backwards = f"-{field}"
    first, second = (backwards, field) if newest_first else (field, backwards)
    arrow = {field: " ↑", backwards: " ↓"}.get(sort, "")
    link = address_changed(context, {"sort": second if sort == first else first, "page": None})
    return format_html('<a href="{}">{}{}</a>', link, label, arrow)


@register.simple_tag
def name_of(names: Mapping[str, str], key: str) -> str:
    """Returns the name of an id, or the id itself if its name is unknown."""
    return names.get(key, key)


@register.filter
def figure_text(value: float) -> str:
    """Returns a number with six significant digits; a whole number in full, with separators."""
    return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:,.6g}"
