"""Recurring runs: schedules that start runs of a pipeline."""

from __future__ import annotations

from typing import Any

from apps.runs import exceptions
from apps.runs.entities import Page, RecurringRun
from apps.runs.gateway import convert, filters
from apps.runs.gateway.base import LARGEST_PAGE, Calls, page_of
from apps.runs.gateway.numbers import whole


class RecurringCalls(Calls):
    """What can be asked about recurring runs, and done to them."""

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
                filter=filters.name_filter(text),
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
        """Lets a schedule start runs again."""
        with self._answer():
            self._client.enable_recurring_run(recurring_run_id)

    def recurring_run_disable(self, recurring_run_id: str) -> None:
        """Keeps a schedule from starting runs; those it has started go on."""
        with self._answer():
            self._client.disable_recurring_run(recurring_run_id)

    def recurring_run_delete(self, recurring_run_id: str) -> None:
        """Deletes a schedule; the runs it has started stay."""
        with self._answer():
            self._client.delete_recurring_run(recurring_run_id)


def _recurring_run(model: Any) -> RecurringRun:
    """Reads a V2beta1RecurringRun."""
    reference, config, trigger = model.pipeline_version_reference, model.runtime_config, model.trigger
    cron = trigger.cron_schedule if trigger else None
    periodic = trigger.periodic_schedule if trigger else None
    schedule = cron or periodic
    return RecurringRun(
        id=model.recurring_run_id or "",
        name=model.display_name or model.recurring_run_id or "",
        description=model.description or "",
        is_enabled={"ENABLED": True, "DISABLED": False}.get(str(model.status or "").upper()),
        experiment_id=model.experiment_id or "",
        pipeline_id=(reference.pipeline_id if reference else None) or "",
        pipeline_version_id=(reference.pipeline_version_id if reference else None) or model.pipeline_version_id or "",
        created_at=convert.moment(model.created_at),
        updated_at=convert.moment(model.updated_at),
        cron=(cron.cron if cron else None) or "",
        interval_s=_number(periodic.interval_second if periodic else None),
        starts_at=convert.moment(schedule.start_time if schedule else None),
        ends_at=convert.moment(schedule.end_time if schedule else None),
        max_concurrency=_number(model.max_concurrency),
        catches_up=not model.no_catchup,
        parameters=whole((config.parameters if config else None) or {}),
        error=convert.error_text(model.error),
    )


def _number(value: Any) -> int | None:
    # Protobuf's JSON writes 64-bit numbers as text.
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
