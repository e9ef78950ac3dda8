# /// script
# requires-python = ">=3.11"
# dependencies = ["tensorflow-model-analysis"]
# [tool.vizportal]
# key = "tfma"
# title = "Model evaluation by slice (TFMA)"
# description = "Every slice's metrics of a TensorFlow Model Analysis evaluation, as a chart and a table that sorts; models compared."
# environment = "tfx"
# artifact_types = ["ModelEvaluation"]
# patterns = ["*metrics-*.tfrecord", "*evaluation*"]
#
# [tool.vizportal.arguments.slicing_column]
# type = "string"
# default = ""
# title = "Slicing column"
# description = "Only the slices by this column, beside the overall metrics; for a cross, its columns separated by commas. Empty: every slice."
#
# [tool.vizportal.arguments.models]
# type = "array"
# items = { type = "string" }
# default = []
# title = "Models"
# description = "Only the models of these names. Empty: all, up to 8."
# ///
"""
Shows how good a model is on each part of the data, in the manner of TensorFlow Model Analysis' `render_slicing_metrics`.

**It reads** a folder that TFMA wrote (`metrics-00000-of-00001.tfrecord` and its neighbours, as in a TFX Evaluator's artifact
`ModelEvaluation`). Several models of one evaluation, or several such folders below the source, are compared.

**It shows** each metric of each slice, with its confidence interval where TFMA computed one; the dashed line is the overall
value. The table has every metric, sorts by any of them, and can be limited to slices with enough examples to mean something.
Thresholds that the evaluation checked are listed with those that were not met.

**Plots** that the evaluation asked for are drawn: ROC and precision-recall curves of its `ConfusionMatrixPlot` with a control for the
threshold and the confusion matrix there, the `CalibrationPlot` in ten bins, and the matrices of `ConfusionMatrixAtThresholds`. They
are of all examples; with a slicing column, of its slices too.

**Key figures:** of one model, each metric of all examples, under the name that the table gives it.

Use it to find the groups for which a model fails although its overall figures are fine.

Example: `slicing_column = "day"`, or `slicing_column = "sex, smoker"` for slices by both.
"""
from vizkit import figure, html, notes
from vizkit.evaluation import read_evaluations
from vizkit.evaluation_charts import draw_plots
from vizkit.evaluation_draw import draw_evaluations
from vizkit.evaluation_plots import read_plots

found = read_evaluations(source, source_uri)
wanted = variables.get("models") or []
unknown = [name for name in wanted if name not in {each.name for each in found}]
if unknown:
    raise ValueError(f'There is no model "{unknown[0]}". Models found: {", ".join(each.name for each in found)}.')
chosen = [each for each in found if not wanted or each.name in wanted]
if len(chosen) == 1:
    for cut in chosen[0].slices:
        for name, value in cut.metrics.items() if not cut.keys else ():
            figure(name[:100], value.value)
by_column = variables.get("slicing_column") or ""
html.show(draw_evaluations(chosen, slicing_column=by_column))
markup, said = draw_plots(read_plots(source, source_uri), [each.name for each in chosen], slicing_column=by_column)
html.show(markup)
notes.show(said)
