"""The artifact that a URL names, looked up within its run with the caller's permissions."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from django.http import HttpRequest

from apps.accounts.caller import caller_of
from apps.runs import selectors
from apps.runs.entities import Artifact, RunDetails, Step
from apps.runs.gateway import Gateway, gateway_for
from apps.runs.gateway.objects import ArtifactStream, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedArtifact:
    """An artifact with its run and step, and the gateway that provides its bytes."""

    gateway: Gateway
    details: RunDetails
    step: Step
    artifact: Artifact

    def open(self, uri: str | None = None, *, part: Part | None = None) -> AbstractContextManager[ArtifactStream]:
        """Opens the artifact's object, or another one of its run.

        Args:
            uri: the other object; None for the artifact's own.
            part: the bytes to read; None for all.
        """
        own = self.artifact.uri if uri is None else uri
        return self.gateway.open_artifact(own, namespace=self.details.run.namespace, part=part)


def requested_artifact(
    request: HttpRequest, run_id: str, step_id: str, artifact_id: str, *, path: str = ""
) -> RequestedArtifact:
    """Returns the artifact of a URL.

    Args:
        request: the request.
        run_id: the run.
        step_id: a step that read or wrote the artifact.
        artifact_id: the artifact.
        path: a file of an artifact that is a folder; "" for the artifact itself.

    Raises:
        NotFoundError: there is no such run, step, artifact or file.
    """
    gateway = gateway_for(caller_of(request))
    details = gateway.run_details(run_id)
    step, artifact = selectors.artifact_get(details, step_id, artifact_id)
    artifact = selectors.artifact_within(artifact, path)
    return RequestedArtifact(gateway=gateway, details=details, step=step, artifact=artifact)
