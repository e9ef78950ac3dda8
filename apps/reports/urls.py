"""URLs of reports."""

from __future__ import annotations

from django.urls import path

from apps.reports.views import editor, pages

app_name = "reports"
_ONE = "reports/<uuid:report_id>/"
urlpatterns = [
    path("reports/", pages.report_list, name="report_list"),
    path("reports/new/", editor.report_new, name="report_new"),
    path("reports/add/", editor.report_add, name="report_add"),
    path("reports/undelete", pages.report_undelete, name="report_undelete"),
    path(_ONE, pages.report_detail, name="report_detail"),
    path(_ONE + "edit/", editor.report_edit, name="report_edit"),
    path(_ONE + "versions/", pages.report_versions, name="report_versions"),
    path(_ONE + "versions/compare/", pages.report_compare, name="report_compare"),
    path(_ONE + "versions/<int:number>/", pages.report_version, name="report_version"),
    path(_ONE + "versions/<int:number>/restore", pages.report_restore, name="report_restore"),
    path(_ONE + "download.html", pages.report_download, name="report_download"),
    path(_ONE + "delete", pages.report_delete, name="report_delete"),
]
