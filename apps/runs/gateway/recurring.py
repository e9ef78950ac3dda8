"""Recurring runs: schedules that start runs of a pipeline."""

from __future__ import annotations

from typing import Any

from apps.runs import exceptions
from apps.runs.entities import Page, RecurringRun
from apps.runs.gateway import convert, filters
from apps.runs.gateway.base import LARGEST_PAGE, Calls, page_of
from apps.runs.gateway.json_reading import json_object, text, whole, whole_number


class RecurringCalls(Calls):
    """The gateway's calls for recurring runs."""

    def recurring_runs(
        self,
        *,
        text: str = "",
        sort: str = "-created",
        experiment_id: str = "",
        page_size: int = 20,
        page_token: str = "",
    ) -> Page[RecurringRun]:
        """Returns a page of recurring runs."""
        with self._answer():
            answer = self._client.list_recurring_runs(
                page_token=page_token,
                page_size=min(page_size, LARGEST_PAGE),
                sort_by=filters.sort_by(sort),
                experiment_id=experiment_id or None,
                namespace=self.endpoint.namespace or None,
                filter=filters.name_filter(filters.literal(text)),
            )
            return page_of(answer, answer.recurring_runs, _recurring_run)

    def recurring_run(self, recurring_run_id: str) -> RecurringRun:
        """Returns one recurring run."""
        with self._answer():
            model = self._client.get_recurring_run(recurring_run_id)
            if not model.recurring_run_id:
                host = self.endpoint.host
                raise exceptions.NotFoundError(f"Kubeflow at {host} has no recurring run {recurring_run_id}.")
            return _recurring_run(model)

    def recurring_run_enable(self, recurring_run_id: str) -> None:
        """Lets a recurring run start runs again."""
        with self._answer():
            self._client.enable_recurring_run(recurring_run_id)

    def recurring_run_disable(self, recurring_run_id: str) -> None:
        """Stops a recurring run from starting runs; runs that it has started continue."""
        with self._answer():
            self._client.disable_recurring_run(recurring_run_id)

    def recurring_run_delete(self, recurring_run_id: str) -> None:
        """Deletes a recurring run; the runs it has started stay."""
        with self._answer():
            self._client.delete_recurring_run(recurring_run_id)


def _recurring_run(model: Any) -> RecurringRun:
    """Converts a V2beta1RecurringRun."""
    reference, config = json_object(model.pipeline_version_reference), json_object(model.runtime_config)
    cron = json_object(json_object(model.trigger).cron_schedule)
    periodic = json_object(json_object(model.trigger).periodic_schedule)
    return RecurringRun(
        id=text(model.recurring_run_id),
        name=text(model.display_name) or text(model.recurring_run_id),
        description=text(model.description),
        is_enabled={"ENABLED": True, "DISABLED": False}.get(str(model.status).upper()),
        experiment_id=text(model.experiment_id),
        pipeline_id=text(reference.pipeline_id),
        pipeline_version_id=text(reference.pipeline_version_id) or text(model.pipeline_version_id),
        created_at=convert.moment(model.created_at),
        updated_at=convert.moment(model.updated_at),
        cron=text(cron.cron),
        interval_s=whole_number(periodic.interval_second),
        starts_at=convert.moment(cron.start_time or periodic.start_time),
        ends_at=convert.moment(cron.end_time or periodic.end_time),
        max_concurrency=whole_number(model.max_concurrency),
        catches_up=not model.no_catchup,
        parameters=whole(config.parameters) if isinstance(config.parameters, dict) else {},
        error=convert.error_text(model.error),
    )
