"""Admin pages of visualizations and, read-only, of their renders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from apps.accounts.caller import caller_of
from apps.visualizations.exceptions import VisualizationsError
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services import cancellation
from apps.visualizations.services.again import render_again_for_owner
from apps.visualizations.services.titles import title_change

_LONGEST_NAME: Final = 60


def _state(render: Render | None) -> SafeString | str:
    if render is None:
        return "-"
    return format_html('<span class="render-state render-state-{}">{}</span>', render.state, render.get_state_display())


def _preview(render: Render | None) -> SafeString | str:
    """Returns the result in its sandboxed frame, loaded lazily."""
    if render is None or not render.content_url:
        return "-"
    return format_html(
        '<iframe class="render-preview" sandbox="allow-scripts" loading="lazy" title="Preview" src="{}"></iframe>',
        render.content_url,
    )


def _thumbnail(render: Render | None) -> SafeString | str:
    """Returns a small, inert frame of the result: it takes no focus."""
    if render is None or not render.content_url:
        return "-"
    return format_html(
        '<span class="render-thumbnail" aria-hidden="true">'
        '<iframe sandbox="allow-scripts" loading="lazy" tabindex="-1" title="Thumbnail" src="{}"></iframe></span>',
        render.content_url,
    )


def _for_each(request: HttpRequest, rows: Iterable[Any], act: Callable[[Any], object], words: str) -> None:
    """Applies an action to each row; shows each failure's reason and the number of successes."""
    done = 0
    for each in rows:
        try:
            act(each)
            done += 1
        except VisualizationsError as error:
            messages.warning(request, f"{each}: {error}")
    if done:
        messages.success(request, f"{done} {words}.")


class RenderInline(admin.TabularInline):  # type: ignore[type-arg]
    """A visualization's renders, as links."""

    model = Render
    fk_name = "visualization"
    fields = ("number", "state_badge", "reason", "message", "requested_by", "created_at")
    readonly_fields = fields
    show_change_link = True
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Renders are requested through services, never written by hand."""
        return False

    @admin.display(description="state")
    def state_badge(self, render: Render) -> SafeString | str:
        """The state as a badge."""
        return _state(render)


@admin.register(Visualization)
class VisualizationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Search, view, render again, cancel and delete visualizations; only the title is editable."""

    list_display = (
        "title",
        "thumbnail",
        "type_key",
        "state_badge",
        "run",
        "step_name",
        "artifact_name",
        "owner",
        "created_at",
    )
    list_filter = (
        *("latest__state", "type_key", "pipeline_name", "artifact_name"),
        ("owner", admin.RelatedOnlyFieldListFilter),
        "created_at",
    )
    list_select_related = ("latest", "owner")
    list_per_page = 50
    search_fields = ("title", "type_key", "run_name", "run_id", "pipeline_name", "step_name", "artifact_name", "id")
    date_hierarchy = "created_at"
    actions = ("action_render_again", "action_cancel")
    inlines = (RenderInline,)
    fields = (
        *("title", "type_key", "state_badge", "preview", "endpoint_key", "run_name", "run_id", "pipeline_name"),
        *("step_name", "step_id", "artifact_name", "artifact_uri", "source_uri", "owner", "created_at"),
    )

    @admin.display(description="run", ordering="run_name")
    def run(self, visualization: Visualization) -> SafeString | str:
        """Link to the run, by its name."""
        name = visualization.run_name or visualization.run_id
        if not name:
            return "-"
        shown = Truncator(name).chars(_LONGEST_NAME)
        return format_html('<a href="{}" title="{}">{}</a>', visualization.run_url, name, shown)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:  # noqa: ARG002
        """Everything but the title: the other fields record the request."""
        return [name for name in self.fields if name != "title"]

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Visualizations are created on a step's page."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Visualization]:
        """Leaves out deleted visualizations that can still be restored."""
        return super().get_queryset(request).filter(deleted_at=None)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:  # noqa: ARG002
        """Lists what is deleted along; Django's own check would refuse, as renders may not be deleted on their own."""
        names = [f"{each} with {each.renders.count()} renders and their files" for each in objs]
        return names, {"visualizations": len(names)}, set(), []

    def save_model(self, request: HttpRequest, obj: Visualization, form: Any, change: bool) -> None:  # noqa: ARG002, FBT001
        """Changes the title through the service."""
        title_change(caller_of(request), obj, form.cleaned_data["title"])

    def delete_model(self, request: HttpRequest, obj: Visualization) -> None:
        """Deletes through the service, which leaves a day to restore it."""
        cancellation.visualization_delete(caller_of(request), obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Visualization]) -> None:
        """Same as `delete_model`, for the bulk action."""
        for each in queryset:
            cancellation.visualization_delete(caller_of(request), each)

    @admin.display(description="state", ordering="latest__state")
    def state_badge(self, visualization: Visualization) -> SafeString | str:
        """The latest render's state as a badge."""
        return _state(visualization.latest)

    @admin.display(description="picture")
    def thumbnail(self, visualization: Visualization) -> SafeString | str:
        """The latest render's picture, small."""
        return _thumbnail(visualization.latest)

    @admin.display(description="preview")
    def preview(self, visualization: Visualization) -> SafeString | str:
        """The latest render's picture."""
        return _preview(visualization.latest)

    def view_on_site(self, obj: Visualization) -> str:
        """The visualization's own page."""
        return _page(obj)

    @admin.action(description="Render again", permissions=["change"])
    def action_render_again(self, request: HttpRequest, queryset: QuerySet[Visualization]) -> None:
        """Queues a render of each visualization."""
        _render_again(request, queryset)

    @admin.action(description="Cancel the latest render", permissions=["change"])
    def action_cancel(self, request: HttpRequest, queryset: QuerySet[Visualization]) -> None:
        """Cancels the latest render of each visualization if it is queued or running."""
        latest = [each.latest for each in queryset.select_related("latest__visualization") if each.latest]
        _cancel(request, latest)


def _render_again(request: HttpRequest, rows: Iterable[Visualization]) -> None:
    caller = caller_of(request)
    _for_each(request, rows, lambda each: render_again_for_owner(caller, each), "queued")


def _cancel(request: HttpRequest, renders: Iterable[Render]) -> None:
    active = [render for render in renders if render.is_active]
    if not active:
        messages.info(request, "None of them is waiting or running.")
    _for_each(request, active, lambda render: cancellation.render_cancel(caller_of(request), render), "asked to stop")


def _page(row: Visualization | Render) -> str:
    try:
        return row.get_absolute_url()
    except NoReverseMatch:
        return ""


@admin.register(Render)
class RenderAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Renders are append-only: they can be viewed, cancelled and requested again, never edited."""

    list_display = ("visualization", "number", "state_badge", "reason", "environment", "requested_by", "created_at")
    list_filter = ("state", "reason", "environment", "sandbox", "is_custom", "visualization__type_key", "created_at")
    list_select_related = ("visualization", "requested_by")
    list_per_page = 50
    search_fields = ("id", "visualization__title", "visualization__run_name", "message", "receipt")
    date_hierarchy = "created_at"
    actions = ("action_render_again", "action_cancel")
    fields = (
        *("visualization", "number", "state_badge", "preview", "reason", "message", "line", "traceback_text"),
        *("log_text", "arguments", "code_text", "is_custom", "type_version", "environment", "kernel"),
        *(
            "environment_lock",
            "dependencies",
            "sample_rows",
            "sandbox",
            "source_uri",
            "source_digest",
            "source_bytes",
            "receipt",
            "requested_by",
            "attempt",
            "losses",
        ),
        *("created_at", "started_at", "finished_at", "timeout_s", "deadline", "lease_until", "cancel_requested_at"),
        *("cell", "cells", "timings", "peak_memory_bytes", "html_bytes", "html_sha256", "queue_link"),
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Renders are requested through services, never written by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The list's actions need this permission; the page of a single render is read-only."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Renders are deleted with their visualization, or by `manage.py prune`."""
        return False

    @admin.display(description="state", ordering="state")
    def state_badge(self, render: Render) -> SafeString | str:
        """The state as a badge."""
        return _state(render)

    @admin.display(description="preview")
    def preview(self, render: Render) -> SafeString | str:
        """The result in its sandboxed frame."""
        return _preview(render)

    @admin.display(description="traceback")
    def traceback_text(self, render: Render) -> SafeString | str:
        """The traceback, with line breaks."""
        return _text(render.traceback)

    @admin.display(description="log")
    def log_text(self, render: Render) -> SafeString | str:
        """The log, with line breaks."""
        return _text(render.log)

    @admin.display(description="code")
    def code_text(self, render: Render) -> SafeString | str:
        """The code, with line breaks."""
        return _text(render.code)

    @admin.display(description="queue")
    def queue_link(self, render: Render) -> SafeString:  # noqa: ARG002
        """Link to the queue's own dashboard."""
        return format_html('<a href="{}">Queue dashboard</a>', reverse("admin:django_rq_dashboard_changelist"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Adds the visualization's title to the heading: a render's own name is made of ids."""
        obj = context.get("original")
        if isinstance(obj, Render):
            context["subtitle"] = f"{obj.visualization.title}, render {obj.number}"
        return super().render_change_form(request, context, *args, **kwargs)

    def view_on_site(self, obj: Render) -> str:
        """The render's own page."""
        return _page(obj)

    @admin.action(description="Render their visualizations again", permissions=["change"])
    def action_render_again(self, request: HttpRequest, queryset: QuerySet[Render]) -> None:
        """Queues one render for each visualization of the selected renders."""
        chosen = Visualization.objects.filter(id__in=queryset.values("visualization"))
        _render_again(request, chosen)

    @admin.action(description="Cancel", permissions=["change"])
    def action_cancel(self, request: HttpRequest, queryset: QuerySet[Render]) -> None:
        """Cancels the queued and running renders among the selected."""
        _cancel(request, queryset.select_related("visualization"))


def _text(text: str) -> SafeString | str:
    return format_html('<pre class="render-log">{}</pre>', text) if text else "-"
