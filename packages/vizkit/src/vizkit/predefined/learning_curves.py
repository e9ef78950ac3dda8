# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas"]
# [tool.vizportal]
# key = "learning_curves"
# title = "Learning curves"
# description = "Loss and metrics over the steps of a training, training and validation together, with smoothing and a log scale."
# reads_tables = true
# patterns = ["*history*", "*training*log*", "*metrics*.csv", "*metrics*.jsonl", "*learning*curve*", "*loss*"]
#
# [tool.vizportal.arguments.x_column]
# type = "string"
# default = ""
# title = "Column of steps"
# description = "Empty: the first of step, epoch, iteration, time that is there, else the rows' numbers."
#
# [tool.vizportal.arguments.metrics]
# type = "array"
# items = { type = "string" }
# default = []
# title = "Columns"
# description = "The columns to draw. Empty: all that hold numbers, at most 40 metrics."
#
# [tool.vizportal.arguments.smoothing]
# type = "number"
# minimum = 0
# maximum = 0.99
# default = 0
# title = "Smoothing at first"
# description = "Weight of an exponential moving average; a slider changes it, and the values as they are stay visible behind."
# ///
"""How a training went: does it still get better, does validation part from training, when was it best.

**Reads** the tables that the type [Table](table.md) reads, with a row a step (`step,loss,val_loss`) or a row a value
(`step,metric,value`); Keras' history (`{"loss": [...], "val_loss": [...]}`), the state of Hugging Face's Trainer, `evals_result` of
LightGBM and XGBoost, CatBoost's `catboost_training.json`, nested JSON lines, scikit-learn's `learning_curve` and the boosters'
`cv` with their spread, exports of Weights & Biases and MLflow, and TensorBoard's CSV and event files. A column such as `phase`
or `split` tells training from validation; one such as `run`, `fold` or `seed` tells trainings apart. Empty cells are skipped, so a loss each step and a validation each epoch may share a file. Values that are NaN or infinite are
marked and counted. Several files (a folder, a glob) are drawn as several trainings.

**Shows** one chart a metric. `train_`, `val_`, `valid_`, `eval_`, `test_` before or behind a name say which part of the data it
is of: those stand in one chart. The best value is marked on validation where there is one: the least of a loss or an error,
the greatest of an accuracy, score, AUC and so on. At most 1,000 points a curve are drawn, picked so that its shape stays.

**Key figures:** of one training, the last value of each curve, named as `loss (validation)`, and the best one, as
`best loss (validation)`, where the name of the metric says which direction is better.

**Use it** for overfitting, learning rates that are too high, and to choose a checkpoint.

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
