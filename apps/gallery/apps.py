"""The app's place in Django."""

from __future__ import annotations

from django.apps import AppConfig


class GalleryConfig(AppConfig):
    """Saved visualizations found, sorted, compared and followed over runs."""

    name = "apps.gallery"
    verbose_name = "Gallery"
