"""Preparations of a render host before it forks, for renders of tables and charts.

Otherwise each render would import and compile the data classes of some twenty modules: 17 ms of processor time for a
table.
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


def warm() -> None:
    """Does once what most renders have in common: computes URLs of scripts and style sheets, and builds a query.

    The query is not run: polars would start threads, which children would not have. When a process builds its first
    query, polars requests the stack size, for which glibc reads the list of all memory maps, some 2,000 in a render: 3
    ms of processor time.
    """
    try:
        import polars as pl

        from . import drawings
    except ImportError:
        return
    drawings.library_urls()
    column = pl.when(pl.col("0").is_in(["a"])).then(pl.col("0")).cast(pl.Float64, strict=False)
    frame = pl.LazyFrame({"0": ["a"]}).select(pl.selectors.by_name("0"))
    frame.select(pl.len(), column.count().alias("1"))
