# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas"]
# [tool.vizportal]
# key = "feature_importance"
# title = "Feature importance"
# description = "Features that a model relies on, as bars with error bars: importances, coefficients or permutation importances."
# reads_tables = true
# patterns = ["*importance*", "*coefficient*"]
#
# [tool.vizportal.figures]
# features = { description = "Number of features with an importance." }
# strongest_share = { description = "Share of the most important feature in the sum of all absolute importances." }
#
# [tool.vizportal.arguments.top]
# type = "integer"
# minimum = 1
# maximum = 1000
# default = 20
# title = "Features to show"
# description = "Number of features shown at first. The page can show the others."
#
# [tool.vizportal.arguments.order]
# type = "string"
# enum = ["magnitude", "value", "name", "file"]
# default = "magnitude"
# title = "Order"
# description = "magnitude: largest absolute value first. value: largest value first. name: alphabetical. file: order of the file."
#
# [tool.vizportal.arguments.name_column]
# type = "string"
# default = ""
# title = "Name column"
# description = "Column with the feature names. Leave empty to detect it: feature, name, variable, or the first non-numeric column."
#
# [tool.vizportal.arguments.value_column]
# type = "string"
# default = ""
# title = "Value column"
# description = "Column with the importances. Leave empty to detect it by name; if none fits, all numeric columns are repeats."
#
# [tool.vizportal.arguments.std_column]
# type = "string"
# default = ""
# title = "Standard deviation column"
# description = "Standard deviations for the error bars. Leave empty to detect the column: std, importances_std or error."
# ///
"""Which features a model relies on.

**Reads**

- the tables that the type [Table](table.md) reads, with `name,value` or `name,value,std`;
- a JSON object such as `{"age": 0.4, "sex": 0.1}`, whose values can also be lists of repeats or `{"mean": 0.4, "std": 0.02}`;
- the result of scikit-learn's `permutation_importance` as JSON (`importances`, or `importances_mean` and `importances_std`, with
  `feature_names`).

Repeats can be rows (a name occurs several times) or columns.

**Shows** one bar per feature, with negative values to the left and an error bar of one standard deviation over the repeats. You
can sort and search the features in the page.

**Use it** to find leaks (one feature that explains almost everything) and features that you can remove. Correlated features share
their importance. If a permutation importance is around zero, including its error bar, the model does not use the feature.

Example: `{"top": 10, "order": "value"}`
"""
from vizkit import bars, figure, html, importances, notes

found, said = importances.read(source, source_uri, variables)
ORDERS = {
    "magnitude": lambda bar: -abs(bar.value),
    "value": lambda bar: -bar.value,
    "name": lambda bar: bar.name.casefold(),
    "file": lambda bar: 0,
}
found.sort(key=ORDERS[variables["order"]])
total = sum(abs(bar.value) for bar in found)
strongest = max(found, key=lambda bar: abs(bar.value))
facts = {"Features": f"{len(found):,}", "Strongest": f"{strongest.name}, {abs(strongest.value) / total:.1%} of all" if total else None}
figure("features", len(found))
figure("strongest_share", abs(strongest.value) / total if total else None)
has_whiskers = any(bar.reach is not None for bar in found)
html.show(
    bars.draw(
        found, title="Feature importance", name_title="Feature", value_title="Importance",
        reach_title="standard deviation" if has_whiskers else "", first=variables["top"],
    ),
    f'<div class="vk" style="margin-top: 16px">{html.facts(facts)}</div>',
)
notes.show(said)
