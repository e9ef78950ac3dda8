"""URLs of alerts."""

from __future__ import annotations

from django.urls import path

from apps.notifications import views

app_name = "notifications"
_ONE = "alerts/<uuid:alert_id>/"
urlpatterns = [
    path("alerts/", views.alert_list, name="alert_list"),
    path("alerts/new/<uuid:recipe_id>/", views.alert_new, name="alert_new"),
    path(_ONE, views.alert_detail, name="alert_detail"),
    path(_ONE + "<slug:action>", views.alert_action, name="alert_action"),
]
