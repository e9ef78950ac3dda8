"""What apps above this one hear of rules: that one paused, that a run of it failed, or that one was rendered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSuccess:
    """A run of a rule was rendered."""

    rule: Rule
    run: RuleRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """What hears of rules."""

    on_trouble: Callable[[RuleTrouble], None]
    on_success: Callable[[RuleSuccess], None]


_listeners: Final[dict[str, Listener]] = {}


def listener_register(name: str, listener: Listener) -> None:
    """Has functions called with each event, in the transaction that writes it down, so that none is missed.

    Their errors are logged and hinder no rule.
    """
    _listeners[name] = listener


def trouble_publish(trouble: RuleTrouble) -> None:
    """Calls the listeners."""
    for name, listener in _listeners.items():
        _call(name, listener.on_trouble, trouble)


def success_publish(success: RuleSuccess) -> None:
    """Calls the listeners."""
    for name, listener in _listeners.items():
        _call(name, listener.on_success, success)


def _call(name: str, listen: Callable[[Any], None], event: RuleTrouble | RuleSuccess) -> None:
    try:
        with transaction.atomic():
            listen(event)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("rule %s: %s failed", event.rule.id, name)
