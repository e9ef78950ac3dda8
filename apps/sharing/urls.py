"""URLs of links."""

from __future__ import annotations

from django.urls import path

from apps.sharing.views import holding, making

app_name = "sharing"
_TOKEN = "s/<slug:token>/"  # noqa: S105  (a pattern)
_BLOCK = _TOKEN + "<int:position>/"
urlpatterns = [
    path("shares/", making.share_list, name="share_list"),
    path("shares/new/", making.share_new, name="share_new"),
    path("shares/<uuid:share_id>/<slug:action>", making.share_action, name="share_action"),
    path(_TOKEN, holding.shared, name="shared"),
    path(_TOKEN + "content", holding.shared_content, name="shared_content"),
    path(_TOKEN + "picture.svg", holding.shared_picture, {"kind": "svg"}, name="shared_picture_svg"),
    path(_TOKEN + "picture.png", holding.shared_picture, {"kind": "png"}, name="shared_picture_png"),
    path(_BLOCK + "content", holding.shared_content, name="shared_content"),
    path(_BLOCK + "picture.svg", holding.shared_picture, {"kind": "svg"}, name="shared_picture_svg"),
    path(_BLOCK + "picture.png", holding.shared_picture, {"kind": "png"}, name="shared_picture_png"),
]
