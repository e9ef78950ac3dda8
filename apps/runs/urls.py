"""URLs of runs, steps, artifacts, pipelines and experiments."""

from __future__ import annotations

from django.urls import path

from apps.runs.views import artifacts, errors, media, new_run, pipelines, recurring, run_list, runs, steps, viewers

app_name = "runs"
_STEP = "runs/<str:run_id>/steps/<str:step_id>/"
_ARTIFACT = _STEP + "artifacts/<str:artifact_id>/"
urlpatterns = [
    path("runs/", run_list.run_list, name="run_list"),
    path("runs/metrics", run_list.run_list_metrics, name="run_list_metrics"),
    path("runs/selection", run_list.run_selection, name="run_selection"),
    path("runs/ask-again", errors.kubeflow_ask_again, name="kubeflow_ask_again"),
    path("runs/undo", run_list.run_undo, name="run_undo"),
    path("runs/filters/save", run_list.filter_save, name="filter_save"),
    path("runs/filters/<int:filter_id>/delete", run_list.filter_delete, name="filter_delete"),
    path("runs/new/", new_run.run_new, name="run_new"),
    path("runs/compare/", runs.run_compare, name="run_compare"),
    path("runs/<str:run_id>/", runs.run_detail, name="run_detail"),
    path(_STEP, steps.step_detail, name="step_detail"),
    path(_STEP + "log", steps.step_log, name="step_log"),
    path(_ARTIFACT + "preview", artifacts.artifact_preview, name="artifact_preview"),
    path(_ARTIFACT + "frame", viewers.artifact_frame, name="artifact_frame"),
    path(_ARTIFACT + "media", media.artifact_media, name="artifact_media"),
    path(_ARTIFACT + "viewers", viewers.artifact_viewers, name="artifact_viewers"),
    path(_ARTIFACT + "viewers/<int:number>/app", viewers.viewer_web_app, name="viewer_web_app"),
    path(_ARTIFACT + "files", artifacts.artifact_listing, name="artifact_listing"),
    path(_ARTIFACT + "download", artifacts.artifact_download, name="artifact_download"),
    path("runs/<str:run_id>/tags", runs.run_tag, name="run_tag"),
    path("runs/<str:run_id>/<slug:action>", runs.run_action, name="run_action"),
    path("recurring/", recurring.recurring_list, name="recurring_list"),
    path("recurring/<str:recurring_run_id>/", recurring.recurring_detail, name="recurring_detail"),
    path("recurring/<str:recurring_run_id>/<slug:action>", recurring.recurring_action, name="recurring_action"),
    path("pipelines/", pipelines.pipeline_list, name="pipeline_list"),
    path("pipelines/upload", pipelines.pipeline_upload, name="pipeline_upload"),
    path("pipelines/<str:pipeline_id>/", pipelines.pipeline_detail, name="pipeline_detail"),
    path("pipelines/<str:pipeline_id>/upload", pipelines.version_upload, name="version_upload"),
    path("pipelines/<str:pipeline_id>/versions/<str:version_id>/", pipelines.version_detail, name="version_detail"),
    path("experiments/", pipelines.experiment_list, name="experiment_list"),
]
