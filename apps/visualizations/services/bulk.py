"""Which visualizations to render again."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.accounts.caller import Caller
from apps.accounts.rights import Right
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
