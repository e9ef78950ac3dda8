# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas"]
# [tool.vizportal]
# key = "precision_recall"
# title = "Precision-recall curve"
# description = "Precision over recall for every threshold, with average precision and the threshold of the best F1."
# reads_tables = true
# artifact_types = ["system.Dataset"]
# patterns = ["*precision*recall*", "*pr_curve*"]
#
# [tool.vizportal.figures]
# average_precision = { better = "higher", description = "Area in steps; of several classes the macro average." }
# average_precision_micro = { better = "higher", description = "Of all decisions pooled, where there are several classes." }
# best_f1 = { better = "higher", description = "The greatest F1 of any threshold." }
# best_threshold = { description = "The threshold where that is." }
# prevalence = { description = "Share of true rows." }
# rows = { description = "Rows with a target and a score." }
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
# description = "The score or probability of the true class. Empty: a column of a usual name, such as score, probability, y_score or prob_1."
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
"""Of the rows called true, how many are (precision), and of the true rows, how many are called so (recall).

**Reads** rows with a target and a score, in the tables that the type [Table](table.md) reads and in Kubeflow's folders of
headerless CSV with a `schema.json`.

**Shows** the curve from the highest threshold on, average precision (the area in steps), the share of true rows (what calling
every row true would reach), lines of equal F1, and the threshold with the greatest F1. A slider moves the threshold: the
confusion matrix, precision, recall, F1 and cost follow. Several classes: each against the rest,
with the *micro* average (all decisions pooled) and the *macro* average precision (the mean of the classes).

**Use it** where the true class is rare: there a ROC curve looks better than the model is.

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
    guides = [Guide(x=[1, 0], y=[shares[0], shares[0]], text=f"True rows {shares[0]:.1%}")]
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
