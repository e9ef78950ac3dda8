# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas"]
# [tool.vizportal]
# key = "feature_importance"
# title = "Feature importance"
# description = "Which features a model relies on, as bars with whiskers: importances, coefficients, or permutation importances with repeats."
# reads_tables = true
# patterns = ["*importance*", "*coefficient*"]
#
# [tool.vizportal.figures]
# features = { description = "Features with an importance." }
# strongest_share = { description = "Share of the strongest feature in all." }
#
# [tool.vizportal.arguments.top]
# type = "integer"
# minimum = 1
# maximum = 1000
# default = 20
# title = "Features to show at once"
# description = "The others are one click away."
#
# [tool.vizportal.arguments.order]
# type = "string"
# enum = ["magnitude", "value", "name", "file"]
# default = "magnitude"
# title = "Order"
# description = "magnitude: farthest from zero first. value: greatest first. file: as the file has them."
#
# [tool.vizportal.arguments.name_column]
# type = "string"
# default = ""
# title = "Column of names"
# description = "Empty: feature, name, variable, or the first column that is no number."
#
# [tool.vizportal.arguments.value_column]
# type = "string"
# default = ""
# title = "Column of values"
# description = "Empty: importance, mean, value, gain, coefficient. Where there is none of these, all columns of numbers are repeats."
#
# [tool.vizportal.arguments.std_column]
# type = "string"
# default = ""
# title = "Column of deviations"
# description = "Half the length of a whisker. Empty: std, importances_std, error, or none."
# ///
"""What a model looks at.

**Reads** the tables that the type [Table](table.md) reads, with `name,value` or `name,value,std`; a JSON object
`{"age": 0.4, "sex": 0.1}`, whose values may also be lists of repeats or `{"mean": 0.4, "std": 0.02}`; what scikit-learn's
`permutation_importance` returns, as JSON (`importances`, or `importances_mean` and `importances_std`, with `feature_names`).
Repeats may stand in a row for each (a name occurs several times) or in a column for each.

**Shows** one bar a feature, negative ones to the left, with a whisker of one standard deviation over repeats; sorted and
searched in the page.

**Use it** to see leaks (one feature that explains all), and features that can go. Importances of correlated features share
what belongs to both; a permutation importance around zero, whiskers included, says that a feature is not used.

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
