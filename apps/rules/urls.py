"""URLs of rules."""

from __future__ import annotations

from django.urls import path

from apps.rules import views

app_name = "rules"
_ONE = "rules/<uuid:rule_id>/"
urlpatterns = [
    path("rules/", views.rule_list, name="rule_list"),
    path("rules/new/<uuid:recipe_id>/", views.rule_new, name="rule_new"),
    path(_ONE, views.rule_detail, name="rule_detail"),
    path(_ONE + "apply", views.rule_apply, name="rule_apply"),
    path(_ONE + "<slug:action>", views.rule_action, name="rule_action"),
]
