"""Events for higher apps: a rule was paused, a run of it failed, or a run was rendered."""

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
    """A failed run or a pause of a rule.

    Attributes:
        run: the run that failed; None if the portal paused the rule.
        message: a sentence for users.
    """

    rule: Rule
    run: RuleRun | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSuccess:
    """A rule's run was rendered."""

    rule: Rule
    run: RuleRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A pair of functions that receive the events."""

    on_trouble: Callable[[RuleTrouble], None]
    on_success: Callable[[RuleSuccess], None]


_listeners: Final[dict[str, Listener]] = {}


def listener_register(name: str, listener: Listener) -> None:
    """Registers a listener for events. It is called in the transaction that records the event, so none is missed.

    A listener's errors are logged and do not affect the rule.
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
