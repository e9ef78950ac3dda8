"""Pipelines, their versions, and experiments."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from apps.runs import exceptions
from apps.runs.entities import Experiment, Page, Pipeline, PipelineVersion
from apps.runs.gateway import convert, filters
from apps.runs.gateway.base import LARGEST_PAGE, Calls, page_of

_PACKAGE_SUFFIXES: Final = (".yaml", ".yml", ".json", ".zip", ".tar.gz", ".tgz")


class PipelineCalls(Calls):
    """The gateway's calls for pipelines, versions and experiments."""

    def pipelines(
        self, *, text: str = "", sort: str = "-created", page_size: int = 50, page_token: str = ""
    ) -> Page[Pipeline]:
        """Returns a page of pipelines."""
        with self._answer():
            answer = self._client.list_pipelines(
                page_token=page_token,
                page_size=min(page_size, LARGEST_PAGE),
                sort_by=filters.sort_by(sort),
                filter=filters.name_filter(text),
                namespace=self.endpoint.namespace or None,
            )
            return page_of(answer, answer.pipelines, convert.pipeline)

    def pipeline(self, pipeline_id: str) -> Pipeline:
        """Returns one pipeline."""
        with self._answer():
            return convert.pipeline(self._client.get_pipeline(pipeline_id))

    def pipeline_versions(
        self, pipeline_id: str, *, page_size: int = 50, page_token: str = ""
    ) -> Page[PipelineVersion]:
        """Returns a page of a pipeline's versions, newest first."""
        with self._answer():
            answer = self._client.list_pipeline_versions(
                pipeline_id,
                page_token=page_token,
                page_size=min(page_size, LARGEST_PAGE),
                sort_by=filters.SORTS["-created"],
            )
            return page_of(answer, answer.pipeline_versions, convert.pipeline_version)

    def pipeline_version(self, pipeline_id: str, version_id: str) -> PipelineVersion:
        """Returns one version with its spec."""
        with self._answer():
            return convert.pipeline_version(self._client.get_pipeline_version(pipeline_id, version_id))

    def pipeline_upload(self, file: BinaryIO, name: str, description: str = "") -> Pipeline:
        """Uploads a compiled pipeline; the suffix of the file's name determines the format.

        Kubeflow rejects the name of an existing pipeline.
        """
        with _package(file) as path, self._answer(), _name_taken(f"a pipeline {name}"):
            return convert.pipeline(
                self._client._upload_api.upload_pipeline(  # noqa: SLF001  # upload_pipeline itself prints
                    str(path), name=name, description=description, **self._namespace()
                )
            )

    def pipeline_version_upload(self, file: BinaryIO, name: str, pipeline_id: str) -> PipelineVersion:
        """Uploads another version of a pipeline."""
        with _package(file) as path, self._answer(), _name_taken(f"a version {name} of this pipeline"):
            return convert.pipeline_version(
                self._client._upload_api.upload_pipeline_version(  # noqa: SLF001
                    str(path), name=name, pipelineid=pipeline_id
                )
            )

    def experiments(
        self, *, text: str = "", sort: str = "-created", page_size: int = 50, page_token: str = ""
    ) -> Page[Experiment]:
        """Returns a page of experiments."""
        with self._answer():
            answer = self._client.list_experiments(
                page_token=page_token,
                page_size=min(page_size, LARGEST_PAGE),
                sort_by=filters.sort_by(sort),
                filter=filters.name_filter(filters.literal(text)),
                namespace=self.endpoint.namespace or None,
            )
            return page_of(answer, answer.experiments, convert.experiment)

    def experiment(self, experiment_id: str) -> Experiment:
        """Returns one experiment."""
        with self._answer():
            return convert.experiment(self._client.get_experiment(experiment_id=experiment_id))

    def experiment_create(self, name: str, description: str = "") -> Experiment:
        """Creates an experiment; returns an existing one of that name unchanged."""
        with self._answer():
            return convert.experiment(self._client.create_experiment(name, description=description))


@contextmanager
def _name_taken(what: str) -> Iterator[None]:
    """Context manager: explains the rejection of an upload whose name is taken, which Kubeflow's own words do not."""
    try:
        yield
    except exceptions.ConflictError as error:
        raise exceptions.ConflictError(f"There already is {what}: choose another name.") from error


@contextmanager
def _package(file: BinaryIO) -> Iterator[Path]:
    """Writes an upload to a temporary file.

    The generated client sends files by path, and takes their names from it.
    """
    name = str(getattr(file, "name", "") or "")
    suffix = next((suffix for suffix in _PACKAGE_SUFFIXES if name.endswith(suffix)), ".yaml")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"pipeline{suffix}"
        with path.open("wb") as target:
            for chunk in iter(lambda: file.read(1024**2), b""):
                target.write(chunk)
        yield path
