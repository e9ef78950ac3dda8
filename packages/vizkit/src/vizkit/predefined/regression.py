# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "polars"]
# [tool.vizportal]
# key = "regression"
# title = "Regression errors"
# description = "Predicted against true numbers: scatter plot, errors, MAE, RMSE, R2 and quantiles of the error."
# reads_tables = true
# artifact_types = ["system.Dataset"]
# patterns = ["*regression*", "*residual*", "*forecast*"]
#
# [tool.vizportal.figures]
# mae = { better = "lower", description = "Mean absolute error (MAE)." }
# rmse = { better = "lower", description = "Root mean squared error (RMSE)." }
# r2 = { better = "higher", description = "Coefficient of determination (R2)." }
# median_absolute_error = { better = "lower", description = "Median of the absolute errors." }
# bias = { description = "Mean of prediction minus true value." }
# rows = { description = "Number of rows with a true and a predicted number." }
#
# [tool.vizportal.arguments.target_column]
# type = "string"
# default = ""
# title = "Target column"
# description = "Column with the true values. Leave empty to detect it by name, such as y_true, target, actual or label."
#
# [tool.vizportal.arguments.prediction_column]
# type = "string"
# default = ""
# title = "Prediction column"
# description = "Column with the predictions. Leave empty to detect it by name, such as y_pred, prediction or forecast."
#
# [tool.vizportal.arguments.max_rows]
# type = "integer"
# minimum = 100
# maximum = 10000000
# default = 2000000
# title = "Maximum rows"
# description = "Of a larger table, every n-th row is used, and a note on the result says so."
# ///
"""How far predicted numbers are from the true values.

**Reads** rows with a true and a predicted number, in any format that the type [Table](table.md) reads.

**Shows** predictions against true values (the dashed line is a perfect prediction), errors against predictions (a pattern is
something that the model has not learned), a histogram of the errors, and their quantiles. *MAE* is the mean absolute error, *RMSE*
the root mean squared error, *R2* the share of the variance that is explained. All figures are those of scikit-learn. Rows without
one of the numbers are left out and counted.

**Use it** to compare regression models, and to see for which values a model fails.

Example: `{"target_column": "tip", "prediction_column": "predicted"}`
"""
from vizkit import charts, figure, html, notes, profile, regression, tabular

table, _, said = profile.read_sample(source, source_uri, tabular.How.of(variables), max_rows=variables["max_rows"])
pairs = regression.read_pairs(table, variables["target_column"], variables["prediction_column"])
found = regression.errors(pairs)
for name, value in found.items():
    figure(name, value)

facts = {
    "RMSE": html.number(found["rmse"]),
    "R2": "undefined: the true values are constant" if found["r2"] is None else f"{found['r2']:.4f}",
    "Median absolute error": html.number(found["median_absolute_error"]),
    "Bias": html.number(found["bias"]),
    "Rows": f"{len(pairs.truth):,}",
}
said.add(notes.left_out(pairs.left_out, "without one of the numbers"))
said.add(f"The weights in {pairs.ignored} are not used." if pairs.ignored else "")
quantiles = html.table(["Quantile", "Error", "Absolute error"], regression.quantiles(pairs), caption="Quantiles of the error")
html.show(
    f'<div class="vk vk-beside"><div>{regression.draw(pairs)}{charts.draw(regression.histogram(pairs))}</div>'
    f'<div class="vk-side"><div class="vk-big">MAE {html.text(html.number(found["mae"]))}</div>'
    f"{html.facts(facts)}{quantiles}</div></div>"
)
notes.show(said)
