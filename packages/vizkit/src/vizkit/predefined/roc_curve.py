# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas"]
# [tool.vizportal]
# key = "roc_curve"
# title = "ROC curve"
# description = "True positive rate against false positive rate at every threshold, with the area under the curve; for several classes, one curve per class and averages."
# reads_tables = true
# artifact_types = ["system.Dataset", "system.ClassificationMetrics", "system.SlicedClassificationMetrics"]
# patterns = ["*roc*", "*predictions*", "*scores*"]
#
# [tool.vizportal.figures]
# auc = { better = "higher", description = "Area under the ROC curve (AUC); for several classes, the macro average." }
# auc_micro = { better = "higher", description = "Micro average of the AUC, for several classes." }
# auc_lowest = { better = "higher", description = "Minimum AUC of all slices, for metrics with several slices." }
# youden_j = { better = "higher", description = "Maximum of TPR - FPR over all thresholds (Youden's J)." }
# best_threshold = { description = "Threshold with the maximum of Youden's J." }
# rows = { description = "Number of rows with a target and a score." }
#
# [tool.vizportal.arguments.is_generated]
# type = "boolean"
# default = false
# title = "Curve already computed"
# description = "The file contains the columns fpr, tpr and thresholds, with or without a header, instead of predictions."
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
"""How well scores separate a class from the others, for all thresholds.

**Reads** rows with a target and a score: the tables that the type [Table](table.md) reads, and Kubeflow's folders of headerless
CSV files with a `schema.json`. A column `sample_weight` weights the rows. If the target has two values and no positive class is
set, it is the value true, 1, yes, positive or pos, or otherwise the last in sort order. It also reads the points of a computed
curve (`fpr,tpr,thresholds`), and the metadata of ClassificationMetrics and SlicedClassificationMetrics.

**Shows** the curve with the area under it and its 95 % confidence interval (DeLong). The area (AUC) is the probability that a
positive row scores higher than a negative one; 0.5 is chance, 1 is perfect. Also: thresholds under the pointer, and the threshold
with the maximum TPR - FPR (Youden's J). A slider moves the threshold and updates the confusion matrix, precision, recall, F1 and
cost. Several classes: each against the rest, with the *micro* average (all decisions pooled) and the *macro* average (mean of the
classes).

**Use it** to compare models, and to choose a threshold if the classes are balanced. If the positive class is rare, use the
precision-recall curve.

Example: `{"target_column": "tip", "target_operator": ">", "trueclass": "5", "true_score_column": "score"}`
"""
import numpy as np

from vizkit import confidence, curves, figure, files, html, metrics, notes, predictions, scores
from vizkit.charts import Axis, Chart, Guide, Mark

metadata = files.read_metadata(source) if source else None
averages, facts, said, rates, bands = [], {}, notes.Notes(), None, []
if metrics.is_metrics(metadata):
    read = ((name or "All", metrics.curve(each)) for name, each in metrics.slices(metadata))
    found = [(name, curve) for name, curve in read if curve]
    if not found:
        raise ValueError("These metrics hold no ROC curve: log_roc_curve was not called.")
elif variables["is_generated"]:
    curve, said = metrics.points(source, source_uri, variables)
    found = [("Curve", curve)]
else:
    read = predictions.read_predictions(source, source_uri, variables)
    found = [(each.label, scores.roc(each.truth, each.score, each.weight)) for each in read.classes]
    facts, said = curves.facts_of(read), read.notes
    if len(found) == 1:
        rates = confidence.rates_of(read.classes[0])
        bands = [confidence.band(found[0][1].thinned(), rates.trues, "true positive rate")]
    read.question_area(found[0][1].area)
    figure("rows", read.rows)
    if len(found) > 1:
        averages = [("Micro average", scores.roc(*read.pooled())), ("Macro average", scores.mean_roc([c for _, c in found]))]

big, marks, table = "", [], ""
if len(found) == 1:
    curve = found[0][1]
    at = scores.best_youden(curve)
    big = f"AUC {curve.area:.4f}"
    figure("auc", curve.area)
    figure("youden_j", curve.y[at] - curve.x[at])
    figure("best_threshold", curve.thresholds[at] if np.isfinite(curve.thresholds[at]) else None)
    limits = confidence.area_limits(curve, rates) if rates and read.classes[0].weight is None else None
    if limits:
        facts["AUC, 95 % confidence interval"] = f"{limits[0]:.4f} to {limits[1]:.4f} (DeLong)"
    facts |= {
        "Points": f"{curve.count:,}",
        "Best threshold": html.number(float(curve.thresholds[at])) or "above all scores",
        "TPR and FPR there": f"{curve.y[at]:.4f} and {curve.x[at]:.4f}",
        "Youden's J": f"{curve.y[at] - curve.x[at]:.4f}",
    }
    if curve.x[0] > 0 or curve.x[-1] < 1:
        facts["Not whole"] = f"The points go from FPR {curve.x[0]:.4f} to {curve.x[-1]:.4f}; the area is of that part."
    marks = [Mark(x=float(curve.x[at]), y=float(curve.y[at]), text="Best threshold")]
else:
    rows = [
        (name, f"{c.area:.4f}", c.thresholds[at], f"{c.y[at]:.4f}", f"{c.x[at]:.4f}")
        for name, c in found
        for at in [scores.best_youden(c)]
    ]
    table = curves.by_class(["Curve", "AUC", "Best threshold", "TPR", "FPR"], rows, caption="Areas")
    if averages:
        figure("auc", averages[1][1].area)
        figure("auc_micro", averages[0][1].area)
        big = f"AUC {averages[1][1].area:.4f}"
        facts = {"Average": "macro, the mean of the classes", "AUC, micro average": f"{averages[0][1].area:.4f}", **facts}
    else:
        figure("auc_lowest", min(curve.area for _, curve in found))

title = "ROC curve" if len(found) == 1 else "ROC curves by slice" if not averages else "ROC curves, each class against the rest"
curves.show(
    Chart(
        title=title,
        x=Axis(title="False positive rate", low=0, high=1),
        y=Axis(title="True positive rate", low=0, high=1),
        series=curves.series(found, averages=averages, note="Threshold", area="AUC"),
        bands=bands,
        guides=[Guide(x=[0, 1], y=[0, 1])],
        marks=marks,
        rates=rates,
        near="point",
        is_square=True,
    ),
    big=big, facts=facts, table=table, words=curves.left_out(found),
)
notes.show(said)
