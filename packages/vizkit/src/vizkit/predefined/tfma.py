# /// script
# requires-python = ">=3.11"
# dependencies = ["tensorflow-model-analysis"]
# [tool.vizportal]
# key = "tfma"
# title = "Model evaluation by slice (TFMA)"
# description = "Metrics of a TensorFlow Model Analysis evaluation by slice, as a chart and a sortable table; compares models."
# environment = "tfx"
# artifact_types = ["ModelEvaluation"]
# patterns = ["*metrics-*.tfrecord", "*evaluation*"]
#
# [tool.vizportal.arguments.slicing_column]
# type = "string"
# default = ""
# title = "Slicing column"
# description = "Show only slices by this column, with the overall metrics. Separate several with commas. Leave empty to show all."
#
# [tool.vizportal.arguments.models]
# type = "array"
# items = { type = "string" }
# default = []
# title = "Models"
# description = "Names of the models to show. Leave empty to show all, up to 8."
# ///
"""
Shows the quality of a model for each part of the data, like TensorFlow Model Analysis' `render_slicing_metrics`.

**Reads** a folder that TFMA wrote (`metrics-00000-of-00001.tfrecord` and related files, such as the artifact `ModelEvaluation` of
a TFX Evaluator). Several models of one evaluation, or several such folders in the source, are compared.

**Shows** each metric of each slice, with its confidence interval if TFMA computed one; the dashed line is the overall value. The
table contains every metric, can be sorted by any of them, and can be limited to slices with a minimum number of examples.
Thresholds that the evaluation checked are listed with those that were not met.

**Plots** of the evaluation are drawn: ROC and precision-recall curves of its `ConfusionMatrixPlot`, with a slider for the threshold
and the confusion matrix at this threshold; the `CalibrationPlot` in ten bins; and the matrices of `ConfusionMatrixAtThresholds`.
They cover all examples; with a slicing column, also its slices.

**Key figures:** for one model, each metric over all examples, with its name in the table.

**Use it** to find groups for which a model fails although its overall metrics are good.

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
