"""Asking Kubeflow to do one thing for a person: its refusal is said on the next page, and the audit log has both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import HttpRequest

from apps.people import audit
from apps.runs import exceptions

_WORDS: Final = {"run": "this run", "recurring_run": "this schedule"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What Kubeflow is asked to do, and with what.

    Attributes:
        kind: "run" or "recurring_run".
    """

    kind: str
    action: str
    id: str
    name: str


def kubeflow_does(request: HttpRequest, asked: Asked, call: Callable[[], None]) -> bool:
    """Calls, and returns whether Kubeflow did it; other faults than a refusal pass through."""
    refusal = ""
    try:
        call()
    except exceptions.InvalidRequestError as error:
        refusal = str(error)
        messages.error(request, f"Kubeflow refuses to {asked.action} {_WORDS[asked.kind]}: {refusal}")
    audit.record(
        f"{asked.kind}.{asked.action}",
        request=request,
        target=asked.id,
        target_name=asked.name,
        outcome="refused" if refusal else "done",
        detail=refusal,
    )
    return not refusal
