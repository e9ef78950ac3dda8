"""The environments of this installation, as its settings say."""

from __future__ import annotations

import renderer
from django.conf import settings
from renderer.environments import EnvironmentInfo, EnvironmentUnusableError

__all__ = ["EnvironmentInfo", "EnvironmentUnusableError", "environments"]


def environments() -> renderer.Environments:
    """Returns the definitions that come with the portal, and where they are built."""
    return renderer.Environments(
        definitions_dir=settings.ENVIRONMENT_DEFINITIONS_DIR, built_dir=settings.VIZPORTAL_ENVIRONMENTS_DIR
    )
