"""The template tags and filters of every app: icons, states, times, sizes, addresses."""

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

# From here on an age says less than a date; as OLD_S in static/js/times.js.
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
    """Returns a diff for a <pre>, where the template's own white space would show."""
    return format_html_join("", '<span class="line {}">{}\n</span>', ((line.css, line.text) for line in lines))


@register.simple_tag
def state_badge(state: states.ShownState | Any) -> SafeString:
    """Draws a state; anything else, such as nothing, is drawn as unknown."""
    if not isinstance(state, states.ShownState):
        return _badge("unknown", states.Tone.IDLE, "circle-help", "Unknown")
    return _badge(state.value, state.tone, state.icon, state.label)


def _badge(value: str, tone: states.Tone, icon_name: str, label: str) -> SafeString:
    return format_html('<span class="state state-{} tone-{}">{}{}</span>', value, tone, icons.icon(icon_name), label)


@register.simple_tag
def when(moment: datetime | None, empty: str = "-") -> SafeString:
    """Draws a time as "3 minutes ago", an older one as `at` does; exact on hover, and a script keeps it fresh."""
    if not moment:  # a template makes "" of what is missing further up
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
    """Draws a time as the reader's clock shows it, with its zone; to the second and in UTC on hover.

    Args:
        seconds: whether it is drawn to the second itself.
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
    """Returns this page's address with some query values changed; None takes one away."""
    return address_changed(context, changes)


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


@register.simple_tag(takes_context=True)
def sort_link(context: Any, label: str, field: str, sort: str, *, newest_first: bool = False) -> SafeString:
    """Draws the head of a column as a link that sorts the list by it, or the other way round.

    Args:
        label: the head of the column.
        field: its name in the query; "-name" sorts from the end.
        sort: how the list is sorted now.
        newest_first: whether the first click sorts from the end.
    """
    backwards = f"-{field}"
    first, second = (backwards, field) if newest_first else (field, backwards)
    arrow = {field: " ↑", backwards: " ↓"}.get(sort, "")
    link = address_changed(context, {"sort": second if sort == first else first, "page": None})
    return format_html('<a href="{}">{}{}</a>', link, label, arrow)


@register.simple_tag
def name_of(names: Mapping[str, str], key: str) -> str:
    """Returns the name of an id, or the id itself where the name is not known."""
    return names.get(key, key)


@register.filter
def figure_text(value: float) -> str:
    """Returns a number with six significant digits, and separators where it is a whole one."""
    return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:,.6g}"
