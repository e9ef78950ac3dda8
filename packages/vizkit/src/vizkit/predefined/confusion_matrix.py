# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas"]
# [tool.vizportal]
# key = "confusion_matrix"
# title = "Confusion matrix"
# description = "How often each class was predicted for each true class, with precision, recall and F1 by class, and the most frequent confusions."
# reads_tables = true
# artifact_types = ["system.Dataset", "system.ClassificationMetrics", "system.SlicedClassificationMetrics"]
# patterns = ["*confusion*", "*predictions*"]
#
# [tool.vizportal.figures]
# accuracy = { better = "higher", description = "Share of rows whose class was predicted." }
# macro_f1 = { better = "higher", description = "Mean F1 of the classes." }
# classes = { description = "Classes in the matrix." }
# rows = { description = "Rows that were counted." }
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
# [tool.vizportal.arguments.layout]
# type = "string"
# enum = ["find out", "rows", "pairs", "matrix"]
# default = "find out"
# title = "What the file holds"
# description = "rows: a row for each prediction. pairs: rows of target, predicted and count. matrix: a square of counts."
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
"""Which classes a model takes for which.

**Reads** the tables that the type [Table](table.md) reads, with a true and a predicted class in each row; rows of
`target,predicted,count`, with or without a header (Kubeflow's files have none); a square of counts or shares with or without
labels, as `pandas.crosstab` and `numpy.savetxt` write it or a JSON report holds it; `tn,fp,fn,tp`; the metadata of
ClassificationMetrics and SlicedClassificationMetrics. Rows of a square are the truth, unless its names say otherwise; sums at its
ends are left out. Classes are compared by value: 1, 1.0 and "1" are one. A file that may be read in two ways is not read: set
`layout`. Where no pair of classes occurs twice, the one column of whole numbers counts them; with `layout` rows, none does.

**Shows** the counts, the truth down and the prediction across, darker where a greater share of the true class is; accuracy,
precision (of those called so, how many are), recall (of those that are, how many were called so) and F1 by class, with their
mean (macro) and their mean by rows (weighted); and the confusions that occur most. More than 30 classes are a map, whose cells
are read by pointer and arrow keys. Figures are those of scikit-learn; what is undefined counts as 0 in averages.

**Use it** to see what to collect more examples of, and which classes are hardly two.

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
