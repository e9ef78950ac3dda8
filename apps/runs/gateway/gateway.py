"""The interface to one Kubeflow endpoint: every request of the portal, answered with entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final

from apps.runs import exceptions
from apps.runs.entities import Attempt, Page, Run, RunDetails, Step, StepLog
from apps.runs.gateway import convert, details, filters, json_reading, logs, objects, plugins, silence, tasks
from apps.runs.gateway.base import LARGEST_PAGE, page_of
from apps.runs.gateway.logs import LogStream
from apps.runs.gateway.pipelines import PipelineCalls
from apps.runs.gateway.recurring import RecurringCalls

_MOST_SCANNED_PAGES: Final = 5
# Hosts that reject the request for a run with its tasks; at most one for each endpoint.
without_full_view: set[str] = set()
# Whether a host has the task API, for hosts that had to be asked. The answers of an upgraded server reveal it.
known_task_apis: dict[str, bool] = {}


class Gateway(PipelineCalls, RecurringCalls):
    """One endpoint with one person's permissions. Cheap to create: clients and connections are kept per connection.

    Methods raise only RunsErrors, whose text is a sentence for people, never exceptions of other libraries.
    """

    def health(self) -> bool:
        """Asks whether the API answers, even if it is known not to; returns whether it is multi-user."""
        with silence.asked_anyway(), self._answer():
            return bool(self._client._healthz_api.healthz_service_get_healthz().multi_user)  # noqa: SLF001

    def runs(
        self,
        question: filters.RunQuestion | None = None,
        *,
        pipeline_id: str = "",
        page_size: int = 20,
        page_token: str = "",
    ) -> Page[Run]:
        """Returns a page of runs, newest first unless the query says otherwise.

        The API cannot filter by pipeline: with `pipeline_id`, up to five of its pages are read and filtered here, so a
        page may hold more or fewer than `page_size` runs; `next_token` still leads to every later match.
        """
        asked = question or filters.RunQuestion()
        if asked.run_ids == ():
            return Page(items=())
        sent = {
            "sort_by": filters.sort_by(asked.sort),
            "experiment_id": asked.experiment_id or None,
            "namespace": self.endpoint.namespace or None,
            "filter": filters.run_filter(asked),
        }
        if not pipeline_id:
            return self._runs_page(sent, min(page_size, LARGEST_PAGE), page_token)
        found: list[Run] = []
        for _ in range(_MOST_SCANNED_PAGES):
            page = self._runs_page(sent, LARGEST_PAGE, page_token)
            found += [run for run in page.items if run.pipeline_id == pipeline_id]
            page_token = page.next_token
            if not page_token or len(found) >= page_size:
                break
        return Page(items=tuple(found), next_token=page_token)

    def _runs_page(self, question: Mapping[str, Any], page_size: int, page_token: str) -> Page[Run]:
        with self._answer():
            answer = self._client.list_runs(page_token=page_token, page_size=page_size, **question)
            return page_of(answer, answer.runs, convert.run)

    def run(self, run_id: str) -> Run:
        """Returns one run; with its spec only if it was started from a spec and not from a pipeline version."""
        return convert.run(self._run_model(run_id))

    def runs_named(self, runs: Iterable[Run]) -> tuple[Run, ...]:
        """Returns the runs with their pipelines' names in Kubeflow; a list answer contains only ids."""
        return tuple(details.with_pipeline_name(self.connection, run, self.pipeline) for run in runs)

    def run_details(self, run_id: str) -> RunDetails:
        """Returns a run with its spec and steps.

        If lineage cannot be read, `notice` says what is missing.
        """
        model = self._full_run_model(run_id)
        run = details.with_spec(self.connection, convert.run(model), self.pipeline_version)
        run = details.with_pipeline_name(self.connection, run, self.pipeline)
        run = details.with_experiment(self.connection, run, self.experiment)
        if self._has_tasks(model, run):
            return details.run_details(
                self.connection, run, (), lambda: tasks.read_executions(self._client, run.id, model)
            )
        listed = json_reading.json_objects(json_reading.json_object(model.run_details).task_details)
        return details.run_details(self.connection, run, listed)

    def _has_tasks(self, model: Any, run: Run) -> bool:
        """Whether a run's steps are read from its tasks. If its answer does not reveal that, asks the server once."""
        host = self.endpoint.host
        if tasks.has_tasks(model) or not tasks.may_have_tasks(model):
            return tasks.has_tasks(model)
        if host not in known_task_apis:
            with suppress(exceptions.RunsError), self._answer():
                known_task_apis[host] = tasks.knows_tasks(self._client, run.id)
        return known_task_apis.get(host, False)

    def _full_run_model(self, run_id: str) -> Any:
        """Returns the answer for a run with its tasks if the server supports that, else without."""
        host = self.endpoint.host
        with self._answer(), self._run_asked():
            try:
                model = tasks.read_run(self._client, run_id, is_full=host not in without_full_view)
            except exceptions.InvalidRequestError:
                # A server that rejects the unknown parameter is not sent it again.
                model = tasks.read_run(self._client, run_id, is_full=False)
                without_full_view.add(host)
            return self._known(model, run_id)

    def _run_model(self, run_id: str) -> Any:
        with self._answer(), self._run_asked():
            return self._known(self._client.get_run(run_id), run_id)

    def _known(self, model: Any, run_id: str) -> Any:
        if not json_reading.text(model.run_id):
            raise exceptions.RunGoneError(f"Kubeflow at {self.endpoint.host} has no run {run_id}.")
        return model

    @contextmanager
    def _run_asked(self) -> Iterator[None]:
        try:
            yield
        except exceptions.NotFoundError as error:
            raise exceptions.RunGoneError(str(error)) from error

    def run_create(
        self,
        *,
        name: str,
        pipeline_id: str = "",
        version_id: str = "",
        spec: Mapping[str, Any] | None = None,
        experiment_id: str = "",
        parameters: Mapping[str, Any] | None = None,
        pipeline_root: str = "",
        description: str = "",
        plugins_input: Mapping[str, Any] | None = None,
    ) -> Run:
        """Starts a run of a pipeline version, or of a spec if no version is given.

        Parameters are JSON values by name. Without a pipeline root, the pipeline's or the server's own is used.
        """
        import kfp_server_api  # noqa: PLC0415

        reference = {"pipeline_id": pipeline_id, "pipeline_version_id": version_id}
        body = kfp_server_api.V2beta1Run(
            display_name=name,
            description=description or None,
            experiment_id=experiment_id or None,
            pipeline_spec=None if version_id else dict(spec or {}),
            # Omitted if empty: an older server rejects an unknown field.
            plugins_input=dict(plugins_input) if plugins_input else None,
            pipeline_version_reference=(
                kfp_server_api.V2beta1PipelineVersionReference(**reference) if version_id else None
            ),
            runtime_config=kfp_server_api.V2beta1RuntimeConfig(
                parameters=dict(parameters or {}), pipeline_root=pipeline_root or None
            ),
        )
        with self._answer():
            return convert.run(self._client._run_api.run_service_create_run(run=body))  # noqa: SLF001

    def knows_plugins(self) -> bool:
        """Whether the server accepts settings for plugins with a new run."""
        return plugins.knows_plugins(self.connection)

    def run_terminate(self, run_id: str) -> None:
        """Asks Kubeflow to stop a run."""
        with self._answer():
            self._client.terminate_run(run_id)

    def run_archive(self, run_id: str) -> None:
        """Hides a run from the usual lists."""
        with self._answer():
            self._client.archive_run(run_id)

    def run_unarchive(self, run_id: str) -> None:
        """Restores an archived run."""
        with self._answer():
            self._client.unarchive_run(run_id)

    def run_delete(self, run_id: str) -> None:
        """Deletes a run permanently; its artifacts stay in their store."""
        with self._answer():
            self._client.delete_run(run_id)

    def run_retry(self, run_id: str) -> None:
        """Restarts the failed steps of a run."""
        with self._answer():
            self._client._run_api.run_service_retry_run(run_id)  # noqa: SLF001

    def open_artifact(
        self, uri: str, *, namespace: str = "", peek: int | None = None, part: objects.Part | None = None
    ) -> AbstractContextManager[objects.ArtifactStream]:
        """Opens an artifact's bytes; only for a URI that was found in a run that this person may read."""
        own = namespace or self.endpoint.namespace
        return objects.open_artifact(self.connection, uri, namespace=own, peek=peek, part=part)

    def list_artifact(self, uri: str, *, namespace: str = "") -> objects.Listing:
        """Returns the files of an artifact that is a folder; for the same URIs as `open_artifact`."""
        own = namespace or self.endpoint.namespace
        return objects.list_artifact(self.connection, uri, namespace=own)

    def logs(self, run_id: str, step: Step) -> StepLog:
        """Returns the log of a step of this run."""
        return self.step_log(self.run(run_id), step)

    def step_log(self, run: Run, step: Step, attempt: Attempt | None = None) -> StepLog:
        """Returns the end of the log of a step, or of one attempt at it; a note says why there is none."""
        return logs.read_log(self.connection, run, step, attempt)

    def open_log(self, run: Run, step: Step, attempt: Attempt | None = None) -> AbstractContextManager[LogStream]:
        """Opens the whole log of a step, or of one attempt at it."""
        return logs.open_log(self.connection, run, step, attempt)
