# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas"]
# [tool.vizportal]
# key = "precision_recall"
# title = "Precision-recall curve"
# description = "Precision against recall at every threshold, with average precision and the threshold with the maximum F1."
# reads_tables = true
# artifact_types = ["system.Dataset"]
# patterns = ["*precision*recall*", "*pr_curve*"]
#
# [tool.vizportal.figures]
# average_precision = { better = "higher", description = "Average precision (AP); for several classes, the macro average." }
# average_precision_micro = { better = "higher", description = "Micro average of the average precision, for several classes." }
# best_f1 = { better = "higher", description = "Maximum F1 over all thresholds." }
# best_threshold = { description = "Threshold with the maximum F1." }
# prevalence = { description = "Share of positive rows." }
# rows = { description = "Number of rows with a target and a score." }
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
# description = "Column with the score or probability of the positive class. Leave empty to detect it by name, such as score or prob_1."
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
"""Precision (share of the predicted positives that are positive) and recall (share of the positives that are found).

**Reads** rows with a target and a score: the tables that the type [Table](table.md) reads, and Kubeflow's folders of headerless
CSV files with a `schema.json`. If the target has two values and no positive class is set, it is the value true, 1, yes, positive
or pos, or otherwise the last in sort order.

**Shows** the curve, starting at the highest threshold; the average precision (area under the steps); the share of positive rows
(the precision of predicting every row as positive); lines of equal F1; and the threshold with the maximum F1. A slider moves the
threshold and updates the confusion matrix, precision, recall, F1 and cost. Several classes: each against the rest, with the
*micro* average (all decisions pooled) and the *macro* average precision (mean of the classes).

**Use it** if the positive class is rare: there, a ROC curve looks better than the model is.

Example: `{"target_column": "label", "trueclass": "fraud", "true_score_column": "probability"}`
"""
import numpy as np

from vizkit import confidence, curves, figure, html, notes, predictions, scores
from vizkit.charts import Axis, Chart, Guide, Mark

read = predictions.read_predictions(source, source_uri, variables)
found = [(each.label, scores.precision_recall(each.truth, each.score, each.weight)) for each in read.classes]
shares = [float(np.average(each.truth, weights=each.weight)) for each in read.classes]
if len(read.classes) == 1:
    read.question_area(scores.roc(read.classes[0].truth, read.classes[0].score, read.classes[0].weight).area)
facts = curves.facts_of(read)
figure("rows", read.rows)

averages, guides, marks, table, bands, rates = [], [], [], "", [], None
if len(found) == 1:
    curve = found[0][1]
    at, f1 = scores.best_f1(curve)
    big = f"AP {curve.area:.4f}"
    figure("average_precision", curve.area)
    figure("best_f1", f1)
    figure("best_threshold", curve.thresholds[at] if np.isfinite(curve.thresholds[at]) else None)
    figure("prevalence", shares[0])
    facts |= {
        "Best F1": f"{f1:.4f}",
        "Best threshold": html.number(float(curve.thresholds[at])),
        "Precision and recall there": f"{curve.y[at]:.4f} and {curve.x[at]:.4f}",
    }
    rates, shown = confidence.rates_of(read.classes[0]), curve.thinned()
    # Each precision is a share of the rows called true.
    bands = [confidence.band(shown, shown.x * rates.trues / np.maximum(shown.y, 1e-9), "precision")]
    guides = [Guide(x=[1, 0], y=[shares[0], shares[0]], text=f"Positive rows {shares[0]:.1%}")]
    marks = [Mark(x=float(curve.x[at]), y=float(curve.y[at]), text="Best F1")]
else:
    averages = [("Micro average", scores.precision_recall(*read.pooled()))]
    big = f"AP {np.mean([c.area for _, c in found]):.4f}"
    figure("average_precision", np.mean([c.area for _, c in found]))
    figure("average_precision_micro", averages[0][1].area)
    facts = {"Average": "macro, the mean of the classes", "AP, micro average": f"{averages[0][1].area:.4f}", **facts}
    rows = [
        (name, f"{c.area:.4f}", f"{share:.1%}", f"{f1:.4f}", c.thresholds[at])
        for (name, c), share in zip(found, shares)
        for at, f1 in [scores.best_f1(c)]
    ]
    table = curves.by_class(["Class", "AP", "Share", "Best F1", "Threshold"], rows, caption="Average precision")

for f1 in (0.2, 0.4, 0.6, 0.8):
    recall = np.linspace(f1 / (2 - f1), 1, 60)
    guides.append(Guide(x=recall.tolist(), y=(f1 * recall / (2 * recall - f1)).tolist(), text=f"F1 {f1}"))

title = "Precision-recall curve" if len(found) == 1 else "Precision-recall curves, each class against the rest"
curves.show(
    Chart(
        title=title,
        x=Axis(title="Recall", low=0, high=1),
        y=Axis(title="Precision", low=0, high=1),
        series=curves.series(found, averages=averages, note="Threshold", area="AP", steps="before"),
        bands=bands,
        guides=guides,
        marks=marks,
        rates=rates,
        near="point",
        is_square=True,
    ),
    big=big, facts=facts, table=table, words=curves.left_out(found),
)
notes.show(read.notes)
