"""The modules of the toolkit that a render host imports before it forks: what most renders of tables and charts need.

Each render would import and compile the data classes of some twenty modules anew: 17 ms of processor time for a table.
"""

from __future__ import annotations

from typing import Final

MODULES: Final = (
    "bars",
    "cells",
    "charts",
    "confidence",
    "counts",
    "curves",
    "documents",
    "drawings",
    "drift",
    "history",
    "importances",
    "matrix",
    "metrics",
    "notes",
    "predictions",
    "profile",
    "regression",
    "scores",
    "summaries",
    "tables",
    "tabular",
    "tabular.columnar",
    "tabular.delimited",
    "tabular.jsons",
    "tabular.unpack",
    "tabular.values",
)
