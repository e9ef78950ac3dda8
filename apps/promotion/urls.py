"""URLs of proposals."""

from __future__ import annotations

from django.urls import path

from apps.promotion import views

app_name = "promotion"
_ONE = "proposals/<uuid:proposal_id>/"
urlpatterns = [
    path("proposals/", views.proposal_list, name="proposal_list"),
    path("proposals/new/<uuid:render_id>/", views.proposal_new, name="proposal_new"),
    path(_ONE, views.proposal_detail, name="proposal_detail"),
    path(_ONE + "edit/", views.proposal_edit, name="proposal_edit"),
    path(_ONE + "versions/<int:number>/type.py", views.version_file, name="version_file"),
    path(_ONE + "<slug:action>", views.proposal_action, name="proposal_action"),
]
