"""What apps above this one hear of rules: that one paused, or that a run of it failed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, transaction

from apps.rules.models import Rule, RuleRun

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTrouble:
    """Something went wrong with a rule.

    Attributes:
        run: which failed; None where the portal paused the rule.
        message: a sentence for people.
    """

    rule: Rule
    run: RuleRun | None
    message: str


_listeners: Final[dict[str, Callable[[RuleTrouble], None]]] = {}


def listener_register(name: str, listen: Callable[[RuleTrouble], None]) -> None:
    """Has a function called with each trouble, in the transaction that writes it down, so that none is missed.

    Its errors are logged and hinder no rule.
    """
    _listeners[name] = listen


def trouble_tell(trouble: RuleTrouble) -> None:
    """Calls the listeners."""
    for name, listen in _listeners.items():
        try:
            with transaction.atomic():
                listen(trouble)
        except DatabaseError:
            raise
        except Exception:
            logger.exception("rule %s: %s failed", trouble.rule.id, name)
