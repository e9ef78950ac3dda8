"""Which visualizations to render again: chosen by filters, or because what made them has changed."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet
from renderer import EnvironmentUnusableError
from vizkit.types import registry

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
from apps.visualizations.environments import environments
from apps.visualizations.models import Visualization
from apps.visualizations.services.rights import right_check


def visualizations_chosen(
    caller: Caller, *, type_key: str = "", pipeline_name: str = "", run_id: str = "", state: str = ""
) -> QuerySet[Visualization]:
    """Returns the visualizations of all users that match; an empty filter filters nothing.

    Raises:
        NotAllowedError: the caller is no administrator.
    """
    right_check(caller, Right.ADMINISTER)
    wanted = {"type_key": type_key, "pipeline_name": pipeline_name, "run_id": run_id, "latest__state": state}
    filters = {name: value for name, value in wanted.items() if value}
    return (
        Visualization.objects.filter(deleted_at=None, **filters)
        .select_related("latest", "owner")
        .order_by("created_at", "id")
    )


def is_stale(visualization: Visualization) -> bool:
    """Whether the type's file or its environment is another one than the latest render had.

    A type that is gone makes nothing stale: it cannot be rendered again.
    """
    latest = visualization.latest
    try:
        kind = registry.get(visualization.type_key, settings.VIZPORTAL_TYPES_DIRS)
        lock = environments().get(kind.environment).lock_digest
    except (registry.UnknownTypeError, EnvironmentUnusableError):
        return False
    return latest is None or (latest.type_version, latest.environment_lock) != (kind.version, lock)
