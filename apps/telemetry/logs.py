"""Log lines: as text for people, or as JSON for log collectors; with ids, and without secrets."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, Final

from structlog.processors import JSONRenderer, format_exc_info
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict

from apps.telemetry import context
from apps.telemetry.redaction import redact

ACCESS_LOGGER: Final = "vizportal.access"
# The only extra attributes of a record that are written. Others could contain anything: Django adds the whole request,
# with its query string.
_EXTRAS: Final = ("method", "view", "status", "ms")


class LineFormatter(logging.Formatter):
    """`2026-01-31 10:00:00,000 INFO name: message [request_id=... render_id=...]`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's own name)
        """Appends the ids to the message, before a traceback."""
        known = " ".join(f"{name}={value}" for name, value in context.ids().items())
        return super().formatMessage(record) + (f" [{known}]" if known else "")

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        return redact(super().format(record))


class JsonFormatter(ProcessorFormatter):
    """One JSON object per line: time (UTC), level, logger, message, ids, and `exc_info` with a traceback."""

    def __init__(self) -> None:
        super().__init__(
            processors=[format_exc_info, _json_fields, JSONRenderer(ensure_ascii=False, default=str)],
            use_get_message=True,
        )


def _json_fields(_logger: Any, _method: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    fields = {
        "time": time.replace("+00:00", "Z"),
        "level": record.levelname,
        "logger": record.name,
        "message": event["event"],
        **context.ids(),
        **{name: getattr(record, name) for name in _EXTRAS if hasattr(record, name)},
    }
    if "exception" in event:
        fields["exc_info"] = event["exception"]
    # Redact before quoting: a secret with quotation marks would not be recognized afterwards.
    return {name: redact(value) if isinstance(value, str) else value for name, value in fields.items()}


def logging_config(form: str, level: str) -> dict[str, Any]:
    """Returns Django's LOGGING setting.

    Args:
        form: `line` or `json`.
        level: level of everything except the access log, which is written only with `json`.
    """
    formatter = JsonFormatter if form == "json" else LineFormatter
    # uvicorn installs handlers before it loads the application; this sends its lines the same way as all others.
    propagated = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "chosen"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "uvicorn": propagated,
            "uvicorn.error": propagated,
            # Its lines contain query strings, and thus sign-in codes.
            "uvicorn.access": {**propagated, "level": "WARNING"},
            # Django's own handlers write to the console only in debug mode, and send mail that nobody configured.
            "django": propagated,
            "django.server": propagated,
            # It logs every request and response with all headers.
            "azure.core.pipeline.policies.http_logging_policy": {"level": "WARNING"},
            # Its lines contain webhook addresses, which may be secret.
            "urllib3.connectionpool": {"level": "INFO" if level == "DEBUG" else level},
            ACCESS_LOGGER: {"level": level if form == "json" else "WARNING"},
        },
    }
