"""URLs of visualizations, renders and their files."""

from __future__ import annotations

from django.urls import path, re_path

from apps.gallery.views import comparison, gallery, pages
from apps.visualizations.views import assets, content, creator, editor, origin, run_results, stream

app_name = "visualizations"
_STEP = "runs/<str:run_id>/steps/<str:step_id>/visualizations/"
_ONE = "visualizations/<uuid:visualization_id>/"
_RENDER = "renders/<uuid:render_id>/"
urlpatterns = [
    path("runs/<str:run_id>/visualizations/", run_results.run_results, name="run_results"),
    path(_STEP, creator.step_fragment, name="step_fragment"),
    path(_STEP + "form", creator.creator_form, name="creator_form"),
    path(_STEP + "words", editor.editor_words, name="editor_words"),
    path("types/<str:key>/code", editor.type_code, name="type_code"),
    path("visualizations/", gallery.gallery, name="gallery"),
    path("visualizations/selection", gallery.gallery_selection, name="gallery_selection"),
    path("visualizations/restore", gallery.visualization_restore, name="visualization_restore"),
    path("visualizations/compare/", comparison.compare, name="compare"),
    path("visualizations/compare/save", comparison.comparison_save, name="comparison_save"),
    path("series/<uuid:series_id>/", comparison.series, name="series"),
    path(_ONE, pages.visualization_detail, name="visualization_detail"),
    path(_ONE + "note", pages.visualization_note, name="visualization_note"),
    path(_ONE + "again", pages.visualization_again, name="visualization_again"),
    path(_ONE + "origin", origin.visualization_origin, name="visualization_origin"),
    path(_ONE + "delete", gallery.visualization_delete, name="visualization_delete"),
    path(_ONE + "renders/<int:number>/", pages.render_detail, name="render_detail"),
    path(_RENDER + "fragment", pages.render_fragment, name="render_fragment"),
    path(_RENDER + "cancel", pages.render_cancel, name="render_cancel"),
    path(_RENDER + "content", content.render_content, name="render_content"),
    path(_RENDER + "download.html", content.render_download, {"kind": "html"}, name="render_download_html"),
    path(_RENDER + "download.ipynb", content.render_download, {"kind": "ipynb"}, name="render_download_notebook"),
    path(_RENDER + "picture.svg", content.render_picture, {"kind": "svg"}, name="render_picture_svg"),
    path(_RENDER + "picture.png", content.render_picture, {"kind": "png"}, name="render_picture_png"),
    re_path(r"^assets/(?P<sha256>[0-9a-f]{64})\.(?P<kind>js|css)\Z", assets.asset, name="asset"),
    path("events/", stream.events, name="events"),
]
