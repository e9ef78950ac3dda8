"""Django configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class UiConfig(AppConfig):
    """Icons, states, formats and template tags of every page."""

    name = "apps.ui"
    verbose_name = "User interface"
