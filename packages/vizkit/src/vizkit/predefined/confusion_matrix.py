# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas"]
# [tool.vizportal]
# key = "confusion_matrix"
# title = "Confusion matrix"
# description = "Counts of predicted classes for each true class, with precision, recall and F1 by class, and the most frequent confusions."
# reads_tables = true
# artifact_types = ["system.Dataset", "system.ClassificationMetrics", "system.SlicedClassificationMetrics"]
# patterns = ["*confusion*", "*predictions*"]
#
# [tool.vizportal.figures]
# accuracy = { better = "higher", description = "Share of rows with a correct prediction." }
# macro_f1 = { better = "higher", description = "Macro average of F1: the mean of the classes." }
# classes = { description = "Number of classes in the matrix." }
# rows = { description = "Number of rows counted." }
#
# [tool.vizportal.arguments.target_column]
# type = "string"
# default = "target"
# title = "Target column"
# description = "Column with the true class. If there is no column target, one such as label, y_true or actual is used."
#
# [tool.vizportal.arguments.predicted_column]
# type = "string"
# default = "predicted"
# title = "Predicted column"
# description = "Column with the predicted class. If there is no column predicted, one such as prediction or y_pred is used."
#
# [tool.vizportal.arguments.count_column]
# type = "string"
# default = ""
# title = "Count column"
# description = "Column with the number of rows. Leave empty to detect it; without such a column, every row counts once."
#
# [tool.vizportal.arguments.layout]
# type = "string"
# enum = ["find out", "rows", "pairs", "matrix"]
# default = "find out"
# title = "File layout"
# description = "rows: one prediction per row. pairs: rows of target, predicted, count. matrix: square of counts. find out: detect it."
#
# [tool.vizportal.arguments.labels]
# type = "array"
# items = { type = "string" }
# default = []
# title = "Labels"
# description = "Classes to show, in this order. Leave empty to show all."
#
# [tool.vizportal.arguments.normalize]
# type = "string"
# enum = ["none", "true", "predicted", "all"]
# default = "none"
# title = "Normalize"
# description = "Also show shares of each true class (true), of each predicted class (predicted) or of all rows (all)."
# ///
"""Which classes a model confuses.

**Reads**

- the tables that the type [Table](table.md) reads, with a true and a predicted class in each row;
- rows of `target,predicted,count`, with or without a header (Kubeflow's files have none);
- a square matrix of counts or shares, with or without labels, from `pandas.crosstab`, `numpy.savetxt` or a JSON report;
- a row of `tn,fp,fn,tp`;
- the metadata of ClassificationMetrics and SlicedClassificationMetrics.

The rows of a matrix are the true classes, unless the names say otherwise; row and column totals are left out. Classes are compared
by value: 1, 1.0 and "1" are the same class. If the layout of a file is ambiguous, the result is an error: set `layout`. If no pair
of classes occurs twice, the only column of whole numbers is the count; with the layout rows, every row counts once.

**Shows** the counts, with true classes as rows and predicted classes as columns; a darker cell is a larger share of the true
class. Below: accuracy; precision (share of the rows with this prediction that are correct), recall (share of the rows of this
class that are predicted correctly) and F1 by class; their macro average (mean of the classes) and their average weighted by
support; the most frequent confusions. More than 30 classes are drawn as a map; point at a cell or use the arrow keys to read it.
All figures are those of scikit-learn; undefined values count as 0 in averages.

**Use it** to see which classes need more examples, and which classes are hard to distinguish.

Example: `{"target_column": "label", "predicted_column": "guess", "normalize": "true"}`
"""
import numpy as np

from vizkit import counts, figure, files, html, matrix, metrics, notes, scores

metadata = files.read_metadata(source) if source else None
said, are_shares = notes.Notes(), False
if metrics.is_metrics(metadata):
    read = ((name, metrics.matrix(each)) for name, each in metrics.slices(metadata))
    found = [(name, *counts.pick(*each, variables["labels"])) for name, each in read if each]
    if not found:
        raise ValueError("These metrics hold no confusion matrix: log_confusion_matrix was not called.")
    if not any(table.sum() for _, _, table in found):
        raise ValueError("The confusion matrix of these metrics holds no counts.")
else:
    counted = counts.read_counts(source, source_uri, variables)
    found, said, are_shares = [("", counted.labels, counted.counts)], counted.notes, counted.are_shares

if len(found) == 1:
    by_class = scores.by_class(found[0][2])
    figure("accuracy", by_class.accuracy)
    figure("macro_f1", np.nan_to_num(by_class.f1).mean())
    figure("classes", len(found[0][1]))
    figure("rows", None if are_shares else by_class.support.sum())
parts = [
    (f"<h2>{html.text(name)}</h2>" if name else "") + matrix.draw(labels, table, how=variables["normalize"], name=name, are_shares=are_shares)
    for name, labels, table in found
    if table.sum()
]
html.show(*parts)
notes.show(said)
