"""The template context of a report."""

from __future__ import annotations

from typing import Any

from apps.accounts.caller import Caller
from apps.reports import selectors
from apps.reports.models import Report


def report_context(caller: Caller, report: Report, number: int | None = None) -> dict[str, Any]:
    """Returns the context of a report's version with its blocks.

    Raises:
        NotFoundError: there is no such version, or the caller may not see the report.
    """
    version = selectors.version_get(caller, report, number)
    return {
        "report": report,
        "version": version,
        "is_newest": version.number == report.number,
        "blocks": selectors.blocks_shown(caller, version.blocks.all()),
    }
