"""The render hosts on the admin site's index: which ones exist, and how they confine renders."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from redis.exceptions import RedisError

from apps.visualizations.services.hosts import hosts_read

register = template.Library()


@register.inclusion_tag("admin/render_hosts.html")
def render_hosts() -> dict[str, Any]:
    """Lists the status of the live hosts; `is_known` is False if the queue server does not answer."""
    try:
        hosts, is_known = hosts_read(), True
    except (RedisError, OSError):
        hosts, is_known = [], False
    return {
        "hosts": hosts,
        "is_known": is_known,
        "wanted": settings.VIZPORTAL_SANDBOX,
        "is_custom_open": settings.ALLOW_CUSTOM_VISUALIZATIONS and settings.VIZPORTAL_CUSTOM_WITHOUT_SANDBOX,
    }
