# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas"]
# [tool.vizportal]
# key = "confusion_matrix"
# title = "Confusion matrix"
# description = "How often each class was predicted for each true class, with precision and recall by class."
# artifact_types = ["system.Dataset", "system.ClassificationMetrics"]
# patterns = ["*confusion*", "*predictions*"]
#
# [tool.vizportal.arguments.target_column]
# type = "string"
# default = "target"
# title = "Target column"
# description = "The column that holds the true class."
#
# [tool.vizportal.arguments.predicted_column]
# type = "string"
# default = "predicted"
# title = "Predicted column"
# description = "The column that holds the predicted class."
#
# [tool.vizportal.arguments.count_column]
# type = "string"
# default = ""
# title = "Count column"
# description = "Empty: every row counts once. Files of three columns without a header (target, predicted, count) are recognised."
#
# [tool.vizportal.arguments.labels]
# type = "array"
# items = { type = "string" }
# default = []
# title = "Labels"
# description = "The classes in the order to show them. Empty: all there are, sorted."
#
# [tool.vizportal.arguments.normalize]
# type = "string"
# enum = ["none", "true", "predicted", "all"]
# default = "none"
# title = "Normalize"
# description = "Show shares of each true class, of each predicted class, or of all rows, beside the counts."
# ///
import glob
import html
import os

import numpy as np
import pandas as pd
from IPython.display import HTML, display

MAX_CLASSES = 60


def read_rows(path):
    if not path:
        raise ValueError("A confusion matrix needs a source: choose an artifact, or give a path.")
    names = sorted(glob.glob(os.path.join(path, "**"), recursive=True)) if os.path.isdir(path) else sorted(glob.glob(path))
    files = [name for name in names if os.path.isfile(name)]
    if not files:
        raise ValueError(f"There is no file at {source_uri or path}.")
    return pd.concat([read_file(name) for name in files], ignore_index=True)


def read_file(name):
    rows = pd.read_csv(name, dtype=str, keep_default_na=False)
    # Kubeflow's own files have no header: three columns, the third a count, so the "header" ends in a number.
    if len(rows.columns) == 3 and str(rows.columns[2]).replace(".", "", 1).isdigit():
        rows = pd.read_csv(name, dtype=str, keep_default_na=False, header=None, names=["target", "predicted", "count"])
    return rows


def column_of(rows, name):
    if name not in rows.columns:
        found = ", ".join(map(str, rows.columns[:40]))
        raise ValueError(f'Column "{name}" is not in the file. Columns found: {found}.')
    return rows[name]


def count_of(rows):
    name = variables.get("count_column") or ("count" if list(rows.columns) == ["target", "predicted", "count"] else "")
    if not name:
        return pd.Series(1, index=rows.index)
    counts = pd.to_numeric(column_of(rows, name), errors="coerce")
    if counts.isna().any():
        raise ValueError(f'Column "{name}" holds something that is no number.')
    return counts


def matrix_of(rows):
    target = column_of(rows, variables.get("target_column") or "target").astype(str)
    predicted = column_of(rows, variables.get("predicted_column") or "predicted").astype(str)
    found = sorted(set(target) | set(predicted))
    labels = variables.get("labels") or found
    if not set(labels) & set(found):
        raise ValueError(f"None of the labels is in the file. Classes found: {', '.join(found[:20])}.")
    if len(labels) > MAX_CLASSES:
        raise ValueError(f"{len(labels)} classes are too many to read; name up to {MAX_CLASSES} in labels.")
    table = pd.crosstab(target, predicted, values=count_of(rows), aggfunc="sum")
    return labels, table.reindex(index=labels, columns=labels).fillna(0).to_numpy(float)


def shares_of(counts, how):
    total = {"true": counts.sum(1, keepdims=True), "predicted": counts.sum(0, keepdims=True), "all": counts.sum()}[how]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(counts / total)


def show_count(value):
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def cell(count, weight, share):
    text = show_count(count) + (f"<small>{share:.1%}</small>" if share is not None else "")
    return f'<td style="--weight: {weight:.3f}">{text}</td>'


def draw(labels, counts, how):
    weights = shares_of(counts, "true")
    shares = shares_of(counts, how) if how != "none" else None
    right = np.diag(counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, precision = right / counts.sum(1), right / counts.sum(0)
    names = [html.escape(label) for label in labels]
    percent = lambda value: "–" if np.isnan(value) else f"{value:.1%}"
    body = "".join(
        f'<tr><th scope="row">{name}</th>'
        + "".join(cell(counts[i, j], weights[i, j], None if shares is None else shares[i, j]) for j in range(len(names)))
        + f'<td class="sum">{show_count(counts[i].sum())}</td><td class="sum">{percent(recall[i])}</td></tr>'
        for i, name in enumerate(names)
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    foot = "".join(f'<td class="sum">{percent(value)}</td>' for value in precision)
    accuracy = right.sum() / counts.sum()
    return f"""
<style>
.cm table {{ border-collapse: separate; border-spacing: 3px; font-variant-numeric: tabular-nums; }}
.cm th {{ font-weight: 550; padding: 4px 8px; max-width: 16em; overflow-wrap: anywhere; }}
.cm tbody th {{ text-align: right; }}
.cm td {{ min-width: 5.2em; padding: 10px 8px; text-align: center; border-radius: 4px; background: color-mix(in oklab, light-dark(#2457c5, #8fb3ff) calc(var(--weight, 0) * 45%), var(--sunken)); }}
.cm td.sum {{ background: none; color: var(--muted); }}
.cm small {{ display: block; font-size: 12px; }}
.cm .axis {{ color: var(--muted); font-weight: 400; font-size: 12.5px; }}
.cm .facts {{ margin: 0 0 10px; color: var(--muted); }} .cm .facts b {{ color: var(--text); font-size: 20px; margin-right: 4px; }}
</style>
<div class="cm">
<p class="facts"><b>{accuracy:.1%}</b> accuracy over {show_count(counts.sum())} rows</p>
<table>
<thead><tr><td class="sum"></td><th class="axis" colspan="{len(names)}">Predicted</th></tr>
<tr><th class="axis" scope="col">True</th>{head}<th class="axis" scope="col">Rows</th><th class="axis" scope="col">Recall</th></tr></thead>
<tbody>{body}<tr><th class="axis" scope="row">Precision</th>{foot}</tr></tbody>
</table></div>"""


rows = read_rows(source)
if rows.empty:
    raise ValueError("The file has no rows.")
labels, counts = matrix_of(rows)
if not counts.sum():
    raise ValueError("No row has both a target and a prediction among the labels.")
display(HTML(draw(labels, counts, variables.get("normalize") or "none")))
