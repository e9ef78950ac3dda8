"""The title of a visualization, which is all that can be changed of it."""

from __future__ import annotations

from django.db import transaction

from apps.accounts.caller import Caller
from apps.visualizations.models import Visualization
from apps.visualizations.services.rights import change_check, record


def title_change(caller: Caller, visualization: Visualization, title: str) -> None:
    """Gives a visualization another title.

    Raises:
        NotAllowedError: neither the owner nor an administrator.
    """
    change_check(caller, visualization)
    visualization.title = title
    with transaction.atomic():
        visualization.save(update_fields=["title"])
        record(caller, "visualization.title", visualization)
