# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas"]
# [tool.vizportal]
# key = "learning_curves"
# title = "Learning curves"
# description = "Loss and metrics over training steps, for training and validation data, with smoothing and a logarithmic scale."
# reads_tables = true
# patterns = ["*history*", "*training*log*", "*metrics*.csv", "*metrics*.jsonl", "*learning*curve*", "*loss*"]
#
# [tool.vizportal.arguments.x_column]
# type = "string"
# default = ""
# title = "Step column"
# description = "Leave empty to detect it, such as step, epoch, iteration or time. Without such a column, rows are numbered."
#
# [tool.vizportal.arguments.metrics]
# type = "array"
# items = { type = "string" }
# default = []
# title = "Metrics"
# description = "Columns to draw. Leave empty to draw all numeric columns, up to 40 metrics."
#
# [tool.vizportal.arguments.smoothing]
# type = "number"
# minimum = 0
# maximum = 0.99
# default = 0
# title = "Initial smoothing"
# description = "Weight of the exponential moving average. A slider changes it; the original values stay visible."
# ///
"""How a training progressed: whether it still improves, whether validation departs from training, and which step was best.

**Reads**

- the tables that the type [Table](table.md) reads, with one row per step (`step,loss,val_loss`) or one row per value
  (`step,metric,value`), and nested JSON lines;
- Keras' history (`{"loss": [...], "val_loss": [...]}`) and the state of Hugging Face's Trainer;
- `evals_result` of LightGBM and XGBoost, and CatBoost's `catboost_training.json`;
- scikit-learn's `learning_curve` and the boosters' `cv`, with their standard deviations;
- exports of Weights & Biases and MLflow, and TensorBoard's CSV and event files.

A column such as `phase` or `split` separates training from validation; a column such as `run`, `fold` or `seed` separates
trainings. Empty cells are skipped, so a file can contain the loss of each step and the validation of each epoch. NaN and infinite
values are marked and counted. Several files (a folder or a pattern) are drawn as several trainings.

**Shows** one chart per metric. The prefixes or suffixes `train_`, `val_`, `valid_`, `eval_` and `test_` tell which part of the
data a column belongs to; the parts of a metric are in one chart. The best value is marked, on validation data if there is any: the
minimum of a loss or an error, the maximum of an accuracy, a score, an AUC and the like. Each curve has at most 1,000 points,
chosen to preserve its shape.

**Key figures:** for one training, the last value of each curve, such as `loss (validation)`, and the best value, such as
`best loss (validation)`, if the name of the metric tells which direction is better.

**Use it** to detect overfitting and learning rates that are too high, and to choose a checkpoint.

Example: `{"x_column": "epoch", "metrics": ["loss", "val_loss"], "smoothing": 0.6}`
"""
from vizkit import figure, history, html, notes
from vizkit.charts import Axis, Band, Chart, Mark, Series, draw, moment

MAX_METRICS, MAX_RUNS = 40, 24
PARTS = ("validation", "test", "training")

read = history.read(source, source_uri, variables)
grouped = history.by_metric(read.curves)
charts, rows = [], []
for metric, found in list(grouped.items())[:MAX_METRICS]:
    found = sorted(found, key=lambda curve: (curve.run, curve.part))[:MAX_RUNS]
    runs = list(dict.fromkeys(curve.run for curve in found))
    marks = []
    for curve in found:
        at = curve.best()
        rows.append([metric, curve.name, f"{len(curve.x):,}", html.number(curve.last) or "NaN or infinite", *([float(curve.y[at]), moment(float(curve.x[at])) if read.is_time else float(curve.x[at])] if at is not None else ["", ""])])
    if len(runs) == 1:
        for curve in found:
            figure(f"{metric} ({curve.part})", curve.last if curve.is_whole else None, better=curve.better)
            figure(f"best {metric} ({curve.part})", curve.y[curve.best()] if curve.best() is not None else None, better=curve.better)
    best = min(found, key=lambda curve: PARTS.index(curve.part) if curve.part in PARTS else len(PARTS))
    if len(runs) == 1 and best.best() is not None and len(best.x) > 1:
        at, place = best.best(), found.index(best)
        marks = [Mark(x=float(best.x[at]), y=float(best.y[at]), text=f"best {html.number(float(best.y[at]))}", colour=place + 1)]
    # Where values are NaN or infinite the curve ends, and says so at its last point before.
    for n, c in enumerate(found):
        if c.lost and len(c.x):
            at, words = max(0, int((c.x < c.lost[0]).sum()) - 1), f"NaN from {html.number(c.lost[0])}"
            if marks and (marks[0].x, marks[0].y) == (c.x[at], c.y[at]):
                words, marks = f"{marks[0].text}, {words}", marks[1:]
            marks.append(Mark(x=float(c.x[at]), y=float(c.y[at]), text=words, colour=n % 8 + 1))
    charts.append(
        Chart(
            title=metric if len(found) > 1 or best.part == "training" else f"{metric} ({best.part})",
            x=Axis(title=read.x_name, kind="date" if read.is_time else "number"),
            y=Axis(title=metric),
            series=[
                Series(
                    name=curve.name, x=curve.x.tolist(), y=curve.y.tolist(), is_dashed=curve.part != "training" and len(runs) > 1,
                    colour=runs.index(curve.run) % 8 + 1 if len(runs) > 1 else 0,
                )
                for curve in found
            ],
            marks=marks,
            bands=[
                Band(name=f"{c.name} ± 1 std", x=c.x.tolist(), low=(c.y - c.spread).tolist(), high=(c.y + c.spread).tolist(), colour=n % 8 + 1)
                for n, c in enumerate(found) if c.spread is not None
            ],
        )
    )

words = f'<p class="vk-muted">The first {MAX_METRICS} of {len(grouped):,} metrics are drawn.</p>' if len(grouped) > MAX_METRICS else ""
table = html.table(["Metric", "Curve", "Points", "Last", "Best", f"at {read.x_name}"], rows[:500], caption="Last and best values")
html.show(
    draw(*charts, smoothing=float(variables["smoothing"]), has_log=True),
    f'<div class="vk" style="margin-top: 16px">{words}{table}</div>',
)
notes.show(read.notes)
