"""Django configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class GalleryConfig(AppConfig):
    """Finding, sorting and comparing saved visualizations, and following them over runs."""

    name = "apps.gallery"
    verbose_name = "Gallery"
