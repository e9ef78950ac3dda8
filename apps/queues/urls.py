"""URLs of the queue's pages."""

from __future__ import annotations

from django.urls import path

from apps.queues import views

app_name = "queues"
urlpatterns = [
    path("queue/", views.queue, name="queue"),
    path("queue/pause", views.pause, name="pause"),
    path("queue/resume", views.resume, name="resume"),
    path("queue/statistics/", views.statistics, name="statistics"),
    path("queue/<uuid:render_id>/cancel", views.cancel, name="cancel"),
]
