"""All URLs of the portal."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from apps.gallery.api import router as gallery_router
from apps.kfp_service import portal as kfp_service
from apps.notifications.api import router as alerts_router
from apps.preservation.api import router as preservation_router
from apps.promotion.api import router as proposals_router
from apps.queues.api import router as queues_router
from apps.reports.api import router as reports_router
from apps.rules.api import router as rules_router
from apps.runs.entities import State
from apps.sharing.api import router as shares_router
from apps.telemetry.views import metrics
from apps.ui import views as ui_views
from apps.visualizations.api import api
from apps.visualizations.states import RenderState
from vizportal import health, views

api.add_router("/alerts", alerts_router)
api.add_router("/proposals", proposals_router)
api.add_router("/rules", rules_router)
api.add_router("/comparisons", gallery_router)
api.add_router("/visualizations", preservation_router)
api.add_router("/queue", queues_router)
api.add_router("/reports", reports_router)
api.add_router("/shares", shares_router)
_STATES = {state.value: state for state in (*RenderState, *State)}
urlpatterns = [
    path("", views.home, name="home"),
    path("admin/rq/", include("django_rq.urls")),
    # Django would look up any row of any table here, and reveal whether it exists. No page links to it.
    path("admin/r/<path:rest>", views.nowhere),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("", include(kfp_service)),
    path("favicon.ico", views.favicon),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("design/", ui_views.design, {"states": _STATES}, name="design"),
    path("", include("apps.accounts.urls")),
    path("", include("apps.notifications.urls")),
    path("", include("apps.queues.urls")),
    path("", include("apps.promotion.urls")),
    path("", include("apps.rules.urls")),
    path("", include("apps.preservation.urls")),
    path("", include("apps.reports.urls")),
    path("", include("apps.sharing.urls")),
    path("", include("apps.gallery.urls")),
    path("", include("apps.runs.urls")),
]
handler403 = "vizportal.views.forbidden"
handler404 = "vizportal.views.not_found"
handler500 = "vizportal.views.server_error"
