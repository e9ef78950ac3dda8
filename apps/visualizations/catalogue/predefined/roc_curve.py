# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas"]
# [tool.vizportal]
# key = "roc_curve"
# title = "ROC curve"
# description = "True positive rate over false positive rate for every threshold, with the area under the curve."
# artifact_types = ["system.Dataset", "system.ClassificationMetrics"]
# patterns = ["*roc*", "*predictions*", "*scores*"]
#
# [tool.vizportal.arguments.is_generated]
# type = "boolean"
# default = false
# title = "Curve is computed already"
# description = "The file holds the columns fpr, tpr and thresholds instead of predictions."
#
# [tool.vizportal.arguments.trueclass]
# type = "string"
# default = ""
# title = "True class"
# description = "The value of the target column that counts as true. Empty: the greater of two values."
#
# [tool.vizportal.arguments.true_score_column]
# type = "string"
# default = ""
# title = "Score column"
# description = "The score or probability of the true class. Empty: the first of true, score, probability, prediction."
#
# [tool.vizportal.arguments.target_column]
# type = "string"
# default = "target"
# title = "Target column"
# description = "The column that holds the truth."
#
# [tool.vizportal.arguments.target_operator]
# type = "string"
# enum = ["==", "!=", ">", ">=", "<", "<="]
# default = "=="
# title = "Target operator"
# description = "How the target column is compared with the true class."
# ///
import glob
import html
import json
import operator
import os

import numpy as np
import pandas as pd
from IPython.display import HTML, display

SCORE_COLUMNS = ("true", "score", "probability", "prediction")
TRUE_VALUES = {"true", "1", "1.0", "yes", "positive"}
COMPARE = {
    "==": operator.eq, "!=": operator.ne, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}


def read_rows(path):
    if not path:
        raise ValueError("A ROC curve needs a source: choose an artifact, or give a path.")
    names = sorted(glob.glob(os.path.join(path, "**"), recursive=True)) if os.path.isdir(path) else sorted(glob.glob(path))
    files = [name for name in names if os.path.isfile(name) and os.path.basename(name) != "schema.json"]
    if not files:
        raise ValueError(f"There is no file at {source_uri or path}.")
    # Kubeflow keeps the column names of headerless CSV files in a schema.json beside them.
    schema = os.path.join(path, "schema.json")
    columns = [column["name"] for column in json.load(open(schema))] if os.path.isfile(schema) else None
    frames = [pd.read_csv(name, names=columns, header=None if columns else "infer") for name in files]
    return pd.concat(frames, ignore_index=True)


def column_of(rows, name):
    if name not in rows.columns:
        found = ", ".join(map(str, rows.columns[:40]))
        raise ValueError(f'Column "{name}" is not in the file. Columns found: {found}.')
    return rows[name]


def score_column(rows):
    given = variables.get("true_score_column")
    if given:
        return given
    for name in SCORE_COLUMNS:
        if name in rows.columns:
            return name
    found = ", ".join(map(str, rows.columns[:40]))
    raise ValueError(f"Say which column holds the score (true_score_column). Columns found: {found}.")


def truth_of(rows):
    name = variables.get("target_column") or "target"
    target = column_of(rows, name)
    wanted = variables.get("trueclass") or ""
    sign = variables.get("target_operator") or "=="
    if not wanted:
        values = sorted(target.dropna().unique(), key=lambda value: (str(value).lower() in TRUE_VALUES, str(value)))
        if len(values) != 2:
            shown = ", ".join(map(str, values[:10]))
            raise ValueError(f'Say which value of "{name}" is the true class (trueclass): it has {len(values)} values: {shown}.')
        wanted = str(values[-1])
    if sign in ("==", "!="):
        truth = COMPARE[sign](target.astype(str).str.lower(), wanted.lower())
    else:
        try:
            truth = COMPARE[sign](pd.to_numeric(target), float(wanted))
        except ValueError as error:
            raise ValueError(f'"{name}" {sign} {wanted}: both sides must be numbers ({error}).') from None
    label = f"{name} {sign} {wanted}"
    if not truth.any() or truth.all():
        raise ValueError(f'No curve: {"no row" if not truth.any() else "every row"} has {label}. Check the true class.')
    return truth.to_numpy(), label


def curve_of(truth, score):
    """Points where the threshold changes, as scikit-learn's roc_curve: (0, 0) first, then by falling threshold."""
    order = np.argsort(-score, kind="stable")
    score, truth = score[order], truth[order]
    last = np.append(np.nonzero(np.diff(score))[0], len(score) - 1)
    true_positives = np.cumsum(truth)[last]
    false_positives = 1 + last - true_positives
    fpr = np.append(0.0, false_positives / false_positives[-1])
    tpr = np.append(0.0, true_positives / true_positives[-1])
    return fpr, tpr, np.append(np.inf, score[last])


def draw(fpr, tpr, thresholds, facts):
    area = float(np.trapezoid(tpr, fpr))
    width, height, left, top = 560, 420, 62, 14
    # More points than pixels cannot be seen: keep those that matter to the eye.
    keep = np.unique(np.round(np.linspace(0, len(fpr) - 1, min(len(fpr), 400))).astype(int))
    x, y = left + fpr[keep] * width, top + (1 - tpr[keep]) * height
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y))
    ticks = "".join(
        f'<line class="grid" x1="{left + t * width}" x2="{left + t * width}" y1="{top}" y2="{top + height}"/>'
        f'<line class="grid" x1="{left}" x2="{left + width}" y1="{top + t * height}" y2="{top + t * height}"/>'
        f'<text x="{left + t * width}" y="{top + height + 18}" text-anchor="middle">{t:g}</text>'
        f'<text x="{left - 8}" y="{top + (1 - t) * height + 4}" text-anchor="end">{t:g}</text>'
        for t in (0, 0.2, 0.4, 0.6, 0.8, 1)
    )
    marks = [[round(float(v), 6) if np.isfinite(v) else None for v in row] for row in zip(fpr[keep], tpr[keep], thresholds[keep])]
    data = json.dumps(marks).replace("<", "\\u003c")
    shown = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd>" for name, value in facts.items())
    step = max(1, len(keep) // 12)
    rows = "".join(
        f"<tr><td>{'' if not np.isfinite(t) else f'{t:.4g}'}</td><td>{a:.4f}</td><td>{b:.4f}</td></tr>"
        for a, b, t in list(zip(fpr[keep], tpr[keep], thresholds[keep]))[::step]
    )
    return f"""
<style>
.roc {{ display: flex; flex-wrap: wrap; gap: 8px 28px; align-items: flex-start; }}
.roc figure {{ margin: 0; flex: 1 1 420px; max-width: 680px; }}
.roc .facts {{ flex: 1 1 220px; max-width: 420px; }}
.roc svg {{ width: 100%; }}
.roc text {{ fill: var(--muted); font-size: 12px; }}
.roc .grid {{ stroke: var(--line); }}
.roc .chance {{ stroke: var(--muted); stroke-dasharray: 5 5; }}
.roc .area {{ fill: var(--accent); opacity: .1; }}
.roc .curve {{ fill: none; stroke: var(--accent); stroke-width: 2.2; stroke-linejoin: round; }}
.roc .dot {{ fill: var(--accent); stroke: var(--page); stroke-width: 2; }}
.roc dl {{ display: grid; grid-template-columns: max-content auto; gap: 4px 16px; margin: 8px 0; }}
.roc dt {{ color: var(--muted); }} .roc dd {{ margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }}
.roc .auc {{ font-size: 28px; font-weight: 650; font-variant-numeric: tabular-nums; }}
.roc .at {{ min-height: 1.5em; font-variant-numeric: tabular-nums; }}
.roc td, .roc th {{ padding: 2px 12px 2px 0; text-align: right; font-variant-numeric: tabular-nums; }}
.roc summary {{ color: var(--muted); cursor: pointer; }}
</style>
<div class="roc">
<figure>
<svg viewBox="0 0 {left + width + 14} {top + height + 46}" role="img" aria-label="ROC curve, area under the curve {area:.4f}" tabindex="0">
{ticks}
<line class="chance" x1="{left}" y1="{top + height}" x2="{left + width}" y2="{top}"/>
<polygon class="area" points="{left},{top + height} {points} {left + width},{top + height}"/>
<polyline class="curve" points="{points}"/>
<circle class="dot" r="5" cx="{left}" cy="{top + height}" visibility="hidden"/>
<text x="{left + width / 2}" y="{top + height + 40}" text-anchor="middle">False positive rate</text>
<text transform="translate(16 {top + height / 2}) rotate(-90)" text-anchor="middle">True positive rate</text>
</svg>
</figure>
<div class="facts">
<div class="auc">AUC {area:.4f}</div>
<dl>{shown}</dl>
<p class="at" aria-live="polite">Move over the curve, or focus it and use the arrow keys, to see the thresholds.</p>
<details><summary>Thresholds as a table</summary><table><thead><tr><th scope="col">Threshold</th><th scope="col">FPR</th><th scope="col">TPR</th></tr></thead><tbody>{rows}</tbody></table></details>
</div>
</div>
<script>
(() => {{
  const root = document.currentScript.previousElementSibling, svg = root.querySelector("svg"), dot = root.querySelector(".dot"), at = root.querySelector(".at");
  const marks = {data};
  let current = 0;
  const show = (index) => {{
    current = Math.max(0, Math.min(marks.length - 1, index));
    const [fpr, tpr, threshold] = marks[current];
    dot.setAttribute("cx", {left} + fpr * {width}); dot.setAttribute("cy", {top} + (1 - tpr) * {height}); dot.setAttribute("visibility", "visible");
    at.textContent = `Threshold ${{threshold === null ? "above all scores" : threshold}}: FPR ${{fpr.toFixed(4)}}, TPR ${{tpr.toFixed(4)}}`;
  }};
  svg.addEventListener("pointermove", (event) => {{
    const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
    const x = ((event.clientX - box.left) * scale - {left}) / {width}, y = 1 - ((event.clientY - box.top) * scale - {top}) / {height};
    let best = 0, least = Infinity;
    marks.forEach(([a, b], index) => {{ const distance = (a - x) ** 2 + (b - y) ** 2; if (distance < least) {{ least = distance; best = index; }} }});
    show(best);
  }});
  svg.addEventListener("keydown", (event) => {{
    const step = {{ ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }}[event.key];
    if (step) {{ event.preventDefault(); show(current + step * Math.max(1, Math.round(marks.length / 100))); }}
  }});
}})();
</script>"""


rows = read_rows(source)
if rows.empty:
    raise ValueError("The file has no rows.")
if variables.get("is_generated"):
    names = ["fpr", "tpr", "thresholds"] if "thresholds" in rows.columns else ["fpr", "tpr", "threshold"]
    fpr, tpr, thresholds = (pd.to_numeric(column_of(rows, name)).to_numpy(float) for name in names)
    facts = {"Points": f"{len(fpr):,}"}
else:
    truth, label = truth_of(rows)
    name = score_column(rows)
    score = pd.to_numeric(column_of(rows, name), errors="coerce").to_numpy(float)
    known = np.isfinite(score)
    if not known.any():
        raise ValueError(f'Column "{name}" holds no numbers.')
    fpr, tpr, thresholds = curve_of(truth[known], score[known])
    facts = {"True": label, "Score": name, "Rows": f"{len(rows):,}", "True rows": f"{int(truth.sum()):,}"}
    if not known.all():
        facts["Left out"] = f"{int((~known).sum()):,} rows without a score"

display(HTML(draw(fpr, tpr, thresholds, facts)))
