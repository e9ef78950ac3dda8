"""Read files with the toolkit in an environment, without a render."""

import json

import vizkit

from packages.vizkit.tests.independent import compute

OURS = f"""
import sys
sys.path.insert(0, {str(vizkit.TOOLKIT_DIR.parent)!r})
import json, math, pathlib
import numpy as np, pandas as pd, polars as pl
from vizkit import counts, history, importances, predictions, scores, summaries, tabular
from vizkit.statistics.compute import compute_statistics

def plain(value):
    # JSON has no NaN, no infinity and no dates.
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else [plain(v) for v in value] \\
        if isinstance(value, list | tuple) else str(value)

def or_error(read, *given):
    try:
        return read(*given)
    except ValueError as error:
        return {{"error": str(error)}}

def columns_of(path, **how):
    table = tabular.read(str(path), "", tabular.How(**how))
    rows = table.collect()
    return {{"columns": {{name: [plain(v) for v in rows[name]] for name in rows.columns}}, "notes": list(table.notes)}}

def summary_of(path):
    table = tabular.read(str(path))
    found = summaries.summarize(table, table.names)
    return {{each.name: [each.kind, each.missing, each.distinct, each.low, each.high] for each in found}}

def matrix_of(path, **variables):
    found = counts.read_counts(str(path), "", variables)
    return {{"labels": found.labels, "counts": found.counts.tolist(), "notes": list(found.notes)}}

def area_of(path, **variables):
    found = predictions.read_predictions(str(path), "", {{"target_column": "target", **variables}})
    one = found.classes[0]
    area = scores.roc(one.truth, one.score, one.weight).area
    found.question_area(area)
    return {{"area": area, "rows": found.rows, "left_out": found.left_out, "notes": list(found.notes)}}

def curves_of(path, **variables):
    found = history.read(str(path), "", variables)
    curves = {{f"{{c.metric}} {{c.part}}": [c.x.tolist(), c.y.tolist(), len(c.lost), None if c.spread is None else
        c.spread.tolist()] for c in found.curves}}
    return {{"x": found.x_name, "curves": curves, "notes": list(found.notes)}}

def bars_of(path, **variables):
    bars, notes = importances.read(str(path), "", variables)
    return {{"bars": {{bar.name: [bar.value, bar.reach] for bar in bars}}, "notes": list(notes)}}
"""


def read_all(folder, code):
    """Runs code that assigns `answer` and may use the toolkit's readers, and returns the answer."""
    return compute("base", OURS + code, folder)


def read_each(folder, function, names):
    """Returns a reader's result or error for each file."""
    return read_all(folder, f"answer = {{name: or_error({function}, name) for name in {json.dumps(list(names))}}}")
