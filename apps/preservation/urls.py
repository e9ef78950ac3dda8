"""URLs of copies of runs."""

from __future__ import annotations

from django.urls import path

from apps.preservation import views

app_name = "preservation"
urlpatterns = [path("visualizations/<uuid:visualization_id>/run/", views.run_copy, name="run_copy")]
