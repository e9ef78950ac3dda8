"""The app's place in Django."""

from __future__ import annotations

from django.apps import AppConfig


class VisualizationsConfig(AppConfig):
    """Visualizations, their renders, and the tokens of scripts."""

    name = "apps.visualizations"
    verbose_name = "Visualizations"
