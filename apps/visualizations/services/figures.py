"""Key figures as stored: the type's header fills in what the code left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from renderer import KeyFigure

from apps.visualizations import selectors
from apps.visualizations.exceptions import InvalidRequestError


def figures_complete(type_key: str, figures: Sequence[KeyFigure]) -> list[KeyFigure]:
    """Returns the figures, with unit and direction from the type's header where the code gave none.

    Args:
        type_key: key of a type; a type that no longer exists declares nothing.
    """
    if not figures:
        return []
    try:
        declared = {each.name: each for each in selectors.type_get(type_key).figures}
    except InvalidRequestError:
        declared = {}
    return [
        replace(
            each,
            unit=each.unit or (declared[each.name].unit if each.name in declared else ""),
            better=each.better or (declared[each.name].better if each.name in declared else "none"),
        )
        for each in figures
    ]
