"""The address of a step's page with the Creator's choices: artifact, type, and arguments that are not defaults."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from apps.runs.contexts import ARGUMENT_PREFIX, CHOOSES
from apps.runs.entities import Step
from apps.visualizations.forms import VisualizationForm, artifact_value

# Some proxies reject longer addresses.
_LONGEST: Final = 2000


def creator_address(page: str, step: Step, form: VisualizationForm) -> str:
    """Returns the address, relative to its host; "" if `page` is not a page of this step.

    Args:
        page: the address of the open page; its other parameters, such as the graph's layout, are kept.
        form: the Creator's current form.
    """
    parts = urlsplit(page)
    if f"/steps/{step.id}/" not in parts.path:
        return ""
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in CHOOSES | {"tab"} and not name.startswith(ARGUMENT_PREFIX)
    ]
    chosen = [("artifact", artifact_value(step, form.chosen_artifact)), ("type", form.kind.key if form.kind else "")]
    chosen = [(name, value) for name, value in chosen if value]
    whole = f"{parts.path}?{urlencode([*kept, *chosen, *_arguments(form)])}"
    return whole if len(whole) <= _LONGEST else f"{parts.path}?{urlencode([*kept, *chosen])}"


def _arguments(form: VisualizationForm) -> list[tuple[str, str]]:
    if form.arguments is None:
        return []
    changed = [field for field in form.arguments.set_fields if field.value() not in (None, "", [])]
    return [(f"{ARGUMENT_PREFIX}{field.name}", _text(field.value())) for field in changed]


def _text(value: object) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
