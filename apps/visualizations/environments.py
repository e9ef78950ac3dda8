"""The environments of this installation, as its settings say."""

from __future__ import annotations

import renderer
from django.conf import settings


def environments() -> renderer.Environments:
    """Returns the definitions that come with the portal, and where they are built."""
    return renderer.Environments(
        definitions_dir=settings.ENVIRONMENT_DEFINITIONS_DIR, built_dir=settings.VIZPORTAL_ENVIRONMENTS_DIR
    )


def queue_name(environment: str) -> str:
    """Returns the name of the queue of an environment's workers."""
    return f"render-{environment}"


def environment_of(queue_name: str) -> str:
    """Returns the environment whose workers serve a queue."""
    return queue_name.removeprefix("render-")


def has_queue(environment: str) -> bool:
    """Whether this installation has a queue, and so workers, for an environment."""
    return queue_name(environment) in settings.RQ_QUEUES
