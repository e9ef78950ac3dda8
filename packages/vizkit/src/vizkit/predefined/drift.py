# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "polars"]
# [tool.vizportal]
# key = "drift"
# title = "Drift"
# description = "Differences between two data sets by column: PSI, Kolmogorov-Smirnov and Jensen-Shannon, with a threshold."
# reads_tables = true
# artifact_types = ["system.Dataset"]
# patterns = ["*drift*", "*skew*"]
#
# [tool.vizportal.figures]
# drifted_columns = { better = "lower", description = "Number of columns above the threshold." }
# drifted_share = { better = "lower", description = "Share of the comparable columns that are above the threshold." }
# max_psi = { better = "lower", description = "Maximum population stability index (PSI)." }
# columns = { description = "Number of columns that can be compared." }
# baseline_rows = { description = "Number of rows in the baseline." }
# current_rows = { description = "Number of rows in the data set compared with the baseline." }
#
# [tool.vizportal.arguments.split_by]
# type = "string"
# default = ""
# title = "Split column"
# description = "For one file: a column with two values, such as train and eval. Leave empty to detect it, or for two files."
#
# [tool.vizportal.arguments.baseline]
# type = "string"
# default = ""
# title = "Baseline"
# description = "File name or value of the split column. Leave empty to use train, baseline or reference, else the first one."
#
# [tool.vizportal.arguments.measure]
# type = "string"
# enum = ["psi", "ks", "js"]
# default = "psi"
# title = "Measure"
# description = "psi: population stability index. ks: Kolmogorov-Smirnov statistic (numbers only). js: Jensen-Shannon distance."
#
# [tool.vizportal.arguments.threshold]
# type = "number"
# minimum = 0
# default = 0.2
# title = "Threshold"
# description = "Columns above this value have drifted. Usual for PSI: 0.1 for moderate drift, 0.2 for large drift."
#
# [tool.vizportal.arguments.max_rows]
# type = "integer"
# minimum = 100
# maximum = 10000000
# default = 500000
# title = "Maximum rows"
# description = "Of a larger table, every n-th row is used, and a note on the result says so."
# ///
"""How much a data set differs from another one.

**Reads** two tables, in any format that the type [Table](table.md) reads, or one table with a column that assigns each row to one
of two data sets.

**Shows** three measures for each column, and the compared shares for the columns with the largest drift. *PSI* (population
stability index) and the *Jensen-Shannon distance* (base 2, from 0 to 1) compare shares: for numbers, of ten bins at the deciles of
the baseline; otherwise, of the 50 most frequent values and all others together. In PSI, an empty bin counts as 0.0001. *KS* is the
Kolmogorov-Smirnov statistic of numbers, the maximum distance between the cumulative distributions. The shares of missing values
are shown separately and are not part of the measures. A column that cannot be compared is listed with the reason.

**Use it** to see whether a model still receives data like its training data, and whether training and evaluation data are alike.

Example: `{"split_by": "split", "baseline": "train", "measure": "js", "threshold": 0.1}`
"""
import polars as pl

from vizkit import bars, drift, figure, files, html, notes, profile, tabular
from vizkit.tabular.columns import describe

paths = files.source_files(source, source_uri)
column = variables["split_by"]


def read(path):
    return profile.read_sample(path, source_uri, tabular.How.of(variables), max_rows=variables["max_rows"])


if column or len(paths) == 1:
    table, _, said = read(source)
    column = column or next((name for name in ("split", "dataset", "part") if name in table.columns), "")
    if column not in table.columns:
        raise ValueError(f"One table needs a column that splits it into two data sets. Name it. {describe(table.head(50)[:, :20], table.columns[20:])}")
    keys = table[column].cast(pl.String)
    names = keys.drop_nulls().unique(maintain_order=True).to_list()
    pair = drift.choose(names, variables["baseline"])
    frames = [table.filter(keys == name).drop(column) for name in pair]
    said.add(notes.left_out(keys.null_count(), f"without a value of {column}"))
else:
    by_name = {path.name: path for path in paths} if len({path.name for path in paths}) == len(paths) else {str(p): p for p in paths}
    pair = drift.choose(list(by_name), variables["baseline"])
    tables = [read(str(by_name[name])) for name in pair]
    frames = [each[0] for each in tables]
    said = notes.Notes(f"{name}: {note}" for name, each in zip(pair, tables) for note in each[2])

columns = drift.compare(*frames)
measure, threshold = variables["measure"], variables["threshold"]
compared = [each for each in columns if each.psi is not None]
if not compared:
    raise ValueError("The two data sets have no column in common that holds values in both.")
far = drift.drifted(columns, measure, threshold)
figure("drifted_columns", len(far))
figure("drifted_share", len(far) / len(compared))
figure("max_psi", max(each.psi for each in compared))
figure("columns", len(compared))
figure("baseline_rows", frames[0].height)
figure("current_rows", frames[1].height)

title = {"psi": "PSI", "ks": "KS", "js": "Jensen-Shannon distance"}[measure]
measured = sorted((each for each in columns if getattr(each, measure) is not None), key=lambda each: -getattr(each, measure))
rows = [
    (each.name, each.psi, each.ks, each.js, *(html.share(share) for share in each.missing), "drifted" if each in far else each.reason)
    for each in columns[:1000]
]
facts = {"Baseline": f"{pair[0]}, {frames[0].height:,} rows", "Compared": f"{pair[1]}, {frames[1].height:,} rows", "Threshold": f"{title} above {threshold:g}"}
details = [
    html.table(["Value", pair[0], pair[1]], [(label, html.share(a), html.share(b)) for label, a, b in zip(each.labels, each.baseline, each.current)], caption=f"Shares of {each.name}")
    for each in compared[:12]
]
html.show(
    f'<div class="vk"><div class="vk-big">{len(far):,} of {len(compared):,} columns drifted</div>{html.facts(facts)}</div>',
    bars.draw(
        [bars.Bar(name=each.name, value=getattr(each, measure)) for each in measured],
        title=f"{title} by column", name_title="Column", value_title=title,
    ),
    '<div class="vk">'
    + html.table(["Column", "PSI", "KS", "Jensen-Shannon", "Missing in baseline", "Missing now", "Note"], rows, caption="Measures by column")
    + f'<details class="vk-data"><summary>What was compared</summary><div class="vk-tables">{"".join(details)}</div></details></div>',
)
notes.show(said)
