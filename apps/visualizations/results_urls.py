"""URLs of the separate origin of results (VIZPORTAL_RESULTS_ORIGIN)."""

from __future__ import annotations

from django.urls import path, re_path

from apps.visualizations.views import assets, content

urlpatterns = [
    path("renders/<uuid:render_id>/content", content.signed_content, name="signed_content"),
    re_path(r"^assets/(?P<sha256>[0-9a-f]{64})\.(?P<kind>js|css)\Z", assets.asset, name="asset"),
]
