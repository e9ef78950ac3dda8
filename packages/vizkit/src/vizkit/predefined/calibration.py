# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas"]
# [tool.vizportal]
# key = "calibration"
# title = "Calibration curve"
# description = "How well predicted probabilities match observed frequencies: reliability by bin, Brier score and calibration error."
# reads_tables = true
# artifact_types = ["system.Dataset"]
# patterns = ["*calibration*", "*probabilit*"]
#
# [tool.vizportal.figures]
# brier = { better = "lower", description = "Brier score; for several classes, the mean." }
# calibration_error = { better = "lower", description = "Expected calibration error (ECE); for several classes, the mean." }
# rows = { description = "Number of rows with a target and a probability." }
#
# [tool.vizportal.arguments.bins]
# type = "integer"
# minimum = 2
# maximum = 100
# default = 10
# title = "Bins"
# description = "Number of bins for the predicted probabilities."
#
# [tool.vizportal.arguments.strategy]
# type = "string"
# enum = ["uniform", "quantile"]
# default = "uniform"
# title = "Binning strategy"
# description = "uniform: bins of equal width. quantile: bins with equal numbers of rows, for scores that are mostly near 0 or 1."
#
# [tool.vizportal.arguments.trueclass]
# type = "string"
# default = ""
# title = "Positive class"
# description = "Target value that counts as positive. Leave empty to detect it, or, with several classes, to plot each against the rest."
#
# [tool.vizportal.arguments.true_score_column]
# type = "string"
# default = ""
# title = "Score column"
# description = "Column with the probability of the positive class. Leave empty to detect it by name, such as score or prob_1."
#
# [tool.vizportal.arguments.target_column]
# type = "string"
# default = "target"
# title = "Target column"
# description = "Column with the true values. If there is no column target, one such as label, y_true or actual is used."
#
# [tool.vizportal.arguments.target_operator]
# type = "string"
# enum = ["==", "!=", ">", ">=", "<", "<="]
# default = "=="
# title = "Target operator"
# description = "How target values are compared with the positive class, for example > 5."
#
# [tool.vizportal.arguments.class_columns]
# type = "array"
# items = { type = "string" }
# default = []
# title = "Class score columns"
# description = "For several classes: one score column per class. Leave empty to detect them by name, such as cat or score_cat."
# ///
"""Whether you can rely on predicted probabilities.

**Reads** rows with a target and a probability from 0 to 1: the tables that the type [Table](table.md) reads, and Kubeflow's
folders of headerless CSV files with a `schema.json`. If the target has two values and no positive class is set, it is the value
true, 1, yes, positive or pos, or otherwise the last in sort order.

**Shows** the mean predicted probability and the observed share of positive rows in each bin, with 95 % confidence intervals
(Wilson). The diagonal is a perfect calibration; below it, the predicted probabilities are too high. The *Brier score* is the mean
squared difference between probability and outcome; 0 is perfect. The *expected calibration error* (ECE) is the mean distance from
the diagonal, weighted by the number of rows. A histogram shows how the probabilities are distributed. Several classes: each
against the rest, without confidence intervals.

**Use it** before you compare a probability with a cost or show it to people.

Example: `{"target_column": "label", "trueclass": "1", "true_score_column": "probability", "strategy": "quantile"}`
"""
import numpy as np

from vizkit import curves, figure, html, notes, predictions, scores
from vizkit.charts import Axis, Band, Chart, Guide, Series

read = predictions.read_predictions(source, source_uri, variables)
for each in read.classes:
    if each.score.min() < 0 or each.score.max() > 1:
        least, greatest = html.number(each.score.min()), html.number(each.score.max())
        hint = " If they are percentages, divide them by 100." if 0 <= each.score.min() and 1 < each.score.max() <= 100 else ""
        raise ValueError(f'Calibration needs probabilities from 0 to 1; column "{each.column}" goes from {least} to {greatest}.{hint}')

found = [
    (each, scores.calibration(each.truth, each.score, each.weight, bins=variables["bins"], strategy=variables["strategy"]))
    for each in read.classes
]
drawn = sorted(found, key=lambda pair: -pair[1].ece)[: curves.MAX_CURVES] if len(found) > curves.MAX_CURVES else found
series = [
    Series(
        name=each.label, x=c.predicted.tolist(), y=c.observed.tolist(), note="Rows", notes=c.counts.tolist(), has_dots=True,
        is_shown=place < 8,
    )
    for place, (each, c) in enumerate(drawn)
]
figure("brier", np.mean([c.brier for _, c in found]))
figure("calibration_error", np.mean([c.ece for _, c in found]))
figure("rows", read.rows)
first, facts = found[0][1], curves.facts_of(read)
if len(found) == 1:
    big, table = f"Brier {first.brier:.4f}", ""
    facts |= {"Expected calibration error": f"{first.ece:.4f}", "Bins with rows": f"{len(first.counts)} of {variables['bins']}"}
    bands = [Band(name="95 % confidence interval of each share (Wilson)", x=first.predicted.tolist(), low=first.low.tolist(), high=first.high.tolist())]
else:
    big, bands = f"Brier {np.mean([c.brier for _, c in found]):.4f}", []
    facts = {"Average": "the mean of the classes, each against the rest", **facts}
    rows = [(each.label, f"{c.brier:.4f}", f"{c.ece:.4f}", f"{each.truth.mean():.1%}") for each, c in found]
    table = curves.by_class(["Class", "Brier", "ECE", "Share"], rows, caption="Calibration by class")

edges = np.linspace(0, 1, 51)
histograms = []
for place, (each, _) in enumerate(drawn):
    for truth, name in ((True, "Positive"), (False, "Negative")) if len(found) == 1 else ((None, each.label),):
        counts = np.histogram(each.score if truth is None else each.score[each.truth == truth], edges)[0]
        histograms.append(
            Series(name=name, x=edges.tolist(), y=[*counts.tolist(), int(counts[-1])], steps="after", is_filled=len(found) == 1, is_shown=place < 8)
        )

curves.show(
    Chart(
        title="Calibration" if len(found) == 1 else "Calibration, each class against the rest",
        x=Axis(title="Mean predicted probability", low=0, high=1),
        y=Axis(title="Observed share of positives", low=0, high=1),
        series=series,
        bands=bands,
        guides=[Guide(x=[0, 1], y=[0, 1])],
        near="point",
        is_square=True,
    ),
    Chart(
        title="Distribution of the probabilities",
        x=Axis(title="Predicted probability", low=0, high=1),
        y=Axis(title="Rows", low=0),
        series=histograms,
        is_low=True,
    ),
    big=big, facts=facts, table=table,
)
notes.show(read.notes)
