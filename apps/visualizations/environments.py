"""The environments of this installation, according to its settings."""

from __future__ import annotations

import renderer
from django.conf import settings


def environments() -> renderer.Environments:
    """Returns the portal's environment definitions and the location of their builds."""
    return renderer.Environments(
        definitions_dir=settings.ENVIRONMENT_DEFINITIONS_DIR, built_dir=settings.VIZPORTAL_ENVIRONMENTS_DIR
    )


def queue_name(environment: str) -> str:
    """Returns the name of an environment's queue."""
    return f"render-{environment}"


def environment_of(queue_name: str) -> str:
    """Returns the environment of a queue."""
    return queue_name.removeprefix("render-")


def has_queue(environment: str) -> bool:
    """Whether this installation has a queue, and thus workers, for an environment."""
    return queue_name(environment) in settings.RQ_QUEUES
