"""Log lines: for people, or as JSON for a collector; with the ids of what they belong to, and without secrets."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter

from apps.observing import scope, secrets, tracing

ACCESS_LOGGER: Final = "vizportal.access"
# What else a line may say of itself. Anything else that code puts on a record stays out: Django puts the whole
# request there, with its query string.
_EXTRAS: Final = ("method", "view", "status", "ms")


def _ids() -> dict[str, Any]:
    trace_id = tracing.trace_id()
    return scope.ids() | ({"trace_id": trace_id} if trace_id else {})


class LineFormatter(logging.Formatter):
    """`2026-01-31 10:00:00,000 INFO name: message [request_id=... render_id=...]`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's own name)
        """Puts the ids behind the message, before a traceback."""
        known = " ".join(f"{name}={value}" for name, value in _ids().items())
        return super().formatMessage(record) + (f" [{known}]" if known else "")

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        return secrets.hide(super().format(record))


class JsonLines(JsonFormatter):
    """One JSON object a line: time (UTC), level, logger, message, ids, and `exc_info` where something broke."""

    def __init__(self) -> None:
        super().__init__(json_ensure_ascii=False)

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Fills the object."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data |= {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.message,
            **_ids(),
            **{name: getattr(record, name) for name in _EXTRAS if hasattr(record, name)},
            **message_dict,
        }

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Takes the secrets out of every text, before it is quoted."""
        return {name: secrets.hide(value) if isinstance(value, str) else value for name, value in log_data.items()}


def logging_config(form: str, level: str) -> dict[str, Any]:
    """Returns Django's LOGGING.

    Args:
        form: `line` or `json`.
        level: of everything but the access log, which is written with `json` only.
    """
    formatter = JsonLines if form == "json" else LineFormatter
    # uvicorn sets handlers of its own before it loads the application; its lines go the same way as all others.
    passed_on = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "chosen"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "uvicorn": passed_on,
            "uvicorn.error": passed_on,
            # Its lines hold query strings, and so the codes of a sign-in.
            "uvicorn.access": {**passed_on, "level": "WARNING"},
            # Django's own handlers write to the console in debug mode only, and mail what nobody configured.
            "django": passed_on,
            "django.server": passed_on,
            # It tells every request and answer with all their headers.
            "azure.core.pipeline.policies.http_logging_policy": {"level": "WARNING"},
            ACCESS_LOGGER: {"level": level if form == "json" else "WARNING"},
        },
    }
