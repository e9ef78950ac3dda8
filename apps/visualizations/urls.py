"""Addresses of visualizations, renders and their files."""

from __future__ import annotations

from django.urls import path

from apps.visualizations import content_views

app_name = "visualizations"
urlpatterns = [
    path("renders/<uuid:render_id>/content", content_views.render_content, name="render_content"),
    path(
        "renders/<uuid:render_id>/download.html",
        content_views.render_download,
        {"kind": "html"},
        name="render_download_html",
    ),
    path(
        "renders/<uuid:render_id>/download.ipynb",
        content_views.render_download,
        {"kind": "ipynb"},
        name="render_download_notebook",
    ),
]
