# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas"]
# [tool.vizportal]
# key = "calibration"
# title = "Calibration curve"
# description = "Whether what is predicted with 80 % comes true in 80 % of cases: reliability by bins, Brier score and calibration error."
# reads_tables = true
# artifact_types = ["system.Dataset"]
# patterns = ["*calibration*", "*probabilit*"]
#
# [tool.vizportal.figures]
# brier = { better = "lower", description = "Brier score; of several classes the mean." }
# calibration_error = { better = "lower", description = "Expected calibration error; of several classes the mean." }
# rows = { description = "Rows with a target and a probability." }
#
# [tool.vizportal.arguments.bins]
# type = "integer"
# minimum = 2
# maximum = 100
# default = 10
# title = "Bins"
# description = "How many groups of rows the probabilities are put into."
#
# [tool.vizportal.arguments.strategy]
# type = "string"
# enum = ["uniform", "quantile"]
# default = "uniform"
# title = "Bins of"
# description = "uniform: equal width. quantile: equally many rows, better where most scores are near 0 or 1."
#
# [tool.vizportal.arguments.trueclass]
# type = "string"
# default = ""
# title = "True class"
# description = "The value of the target column that counts as true. Empty: the greater of two values, or each class against the rest."
#
# [tool.vizportal.arguments.true_score_column]
# type = "string"
# default = ""
# title = "Score column"
# description = "The probability of the true class. Empty: a column of a usual name, such as score, probability, y_score or prob_1."
#
# [tool.vizportal.arguments.target_column]
# type = "string"
# default = "target"
# title = "Target column"
# description = "The column that holds the truth. If there is no target: a column of a usual name, such as label, y_true or actual."
#
# [tool.vizportal.arguments.target_operator]
# type = "string"
# enum = ["==", "!=", ">", ">=", "<", "<="]
# default = "=="
# title = "Target operator"
# description = "How the target column is compared with the true class."
#
# [tool.vizportal.arguments.class_columns]
# type = "array"
# items = { type = "string" }
# default = []
# title = "Score columns of the classes"
# description = "For several classes: one column of scores each. Empty: columns named after the classes, such as cat or score_cat."
# ///
"""Whether probabilities can be taken at their word.

**Reads** rows with a target and a probability from 0 to 1, in the tables that the type [Table](table.md) reads and in Kubeflow's
folders of headerless CSV with a `schema.json`.

**Shows** for each bin of rows the mean probability and the share that came true, with the 95 % limits that so few rows allow
(Wilson); the diagonal is a perfect calibration, below it the model is too sure. *Brier score*: mean square of probability minus
outcome, 0 is perfect. *Expected calibration error*: mean distance from the diagonal, by rows. Below: how many rows have which
probability. Several classes: each against the rest.

**Use it** before a probability is compared with a cost, or shown to people.

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
    bands = [Band(name="95 % limits of each share (Wilson)", x=first.predicted.tolist(), low=first.low.tolist(), high=first.high.tolist())]
else:
    big, bands = f"Brier {np.mean([c.brier for _, c in found]):.4f}", []
    facts = {"Average": "the mean of the classes, each against the rest", **facts}
    rows = [(each.label, f"{c.brier:.4f}", f"{c.ece:.4f}", f"{each.truth.mean():.1%}") for each, c in found]
    table = curves.by_class(["Class", "Brier", "ECE", "Share"], rows, caption="Calibration by class")

edges = np.linspace(0, 1, 51)
histograms = []
for place, (each, _) in enumerate(drawn):
    for truth, name in ((True, "True"), (False, "Not true")) if len(found) == 1 else ((None, each.label),):
        counts = np.histogram(each.score if truth is None else each.score[each.truth == truth], edges)[0]
        histograms.append(
            Series(name=name, x=edges.tolist(), y=[*counts.tolist(), int(counts[-1])], steps="after", is_filled=len(found) == 1, is_shown=place < 8)
        )

curves.show(
    Chart(
        title="Calibration" if len(found) == 1 else "Calibration, each class against the rest",
        x=Axis(title="Mean predicted probability", low=0, high=1),
        y=Axis(title="Share that came true", low=0, high=1),
        series=series,
        bands=bands,
        guides=[Guide(x=[0, 1], y=[0, 1])],
        near="point",
        is_square=True,
    ),
    Chart(
        title="How many rows have which probability",
        x=Axis(title="Predicted probability", low=0, high=1),
        y=Axis(title="Rows", low=0),
        series=histograms,
        is_low=True,
    ),
    big=big, facts=facts, table=table,
)
notes.show(read.notes)
