# /// script
# requires-python = ">=3.11"
# dependencies = ["polars"]
# [tool.vizportal]
# key = "table"
# title = "Table"
# description = "The rows of a CSV, TSV, JSON lines or Parquet file, to sort, search and page through."
# artifact_types = ["system.Dataset", "system.Artifact"]
# patterns = ["*.csv", "*.tsv", "*.jsonl", "*.ndjson", "*.parquet", "*table*"]
#
# [tool.vizportal.arguments.headers]
# type = "boolean"
# default = true
# title = "First line holds the column names"
# description = "For CSV and TSV."
#
# [tool.vizportal.arguments.delimiter]
# type = "string"
# maxLength = 1
# default = ""
# title = "Delimiter"
# description = "Empty: by the file's first line (comma, tab, semicolon or bar)."
#
# [tool.vizportal.arguments.max_rows]
# type = "integer"
# minimum = 1
# maximum = 100000
# default = 10000
# title = "Rows to embed"
# description = "The first rows of the file; the number of all rows is shown beside."
# ///
import glob
import json
import os

import polars as pl
from IPython.display import HTML, display

DELIMITERS = (",", "\t", ";", "|")
MAX_COLUMNS = 300


def files_of(path):
    if not path:
        raise ValueError("A table needs a source: choose an artifact, or give a path.")
    names = sorted(glob.glob(os.path.join(path, "**"), recursive=True)) if os.path.isdir(path) else sorted(glob.glob(path))
    files = [name for name in names if os.path.isfile(name)]
    if not files:
        raise ValueError(f"There is no file at {source_uri or path}.")
    return files


def first_line(name):
    with open(name, "rb") as file:
        return file.read(64 * 1024).split(b"\n")[0].decode("utf-8", "replace")


def scan(name):
    with open(name, "rb") as file:
        start = file.read(4)
    if start == b"PAR1":
        return pl.scan_parquet(name), False
    if start.lstrip()[:1] == b"{":
        return pl.scan_ndjson(name), False
    if not start:
        raise ValueError("The file is empty.")
    line = first_line(name)
    delimiter = variables.get("delimiter") or max(DELIMITERS, key=line.count)
    # Everything as text: what is shown is what the file says, to the last digit.
    frame = pl.scan_csv(
        name, separator=delimiter, has_header=variables.get("headers", True) is not False, infer_schema=False,
        encoding="utf8-lossy", truncate_ragged_lines=True,
    )
    return frame, True


def show(value):
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, default=str) if isinstance(value, (list, dict)) else str(value)


def columns_of(frame, is_text):
    columns = []
    for series in frame.get_columns():
        numbers = series.cast(pl.Float64, strict=False) if is_text else series
        filled = series.drop_nulls() if not is_text else series.drop_nulls().filter(series.drop_nulls() != "")
        is_number = series.dtype.is_numeric() if not is_text else len(filled) > 0 and numbers.count() == len(filled)
        columns.append({"name": series.name, "number": bool(is_number)})
    return columns


def safe_json(value):
    # The data stands inside a script element, so nothing in it may end that element.
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


limit = variables.get("max_rows") or 10000
files = files_of(source)
scans = [scan(name) for name in files]
is_text = all(text for _, text in scans)
try:
    lazy = pl.concat([frame for frame, _ in scans], how="diagonal_relaxed") if len(scans) > 1 else scans[0][0]
    frame = lazy.head(limit).collect()
    total = lazy.select(pl.len()).collect().item()
except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
    raise ValueError(f"The file cannot be read as a table: {str(error).splitlines()[0]}") from None
if frame.width > MAX_COLUMNS:
    raise ValueError(f"{frame.width} columns are too many to show; the limit is {MAX_COLUMNS}.")

payload = safe_json({
    "columns": columns_of(frame, is_text),
    "rows": [[show(value) for value in row] for row in frame.iter_rows()],
    "total": total,
})
display(HTML("""
<style>
.tbl { display: grid; gap: 8px; }
.tbl .bar { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; color: var(--muted); }
.tbl input, .tbl select, .tbl button { font: inherit; color: var(--text); background: var(--page); border: 1px solid var(--muted); border-radius: 6px; padding: 3px 8px; min-height: 28px; }
.tbl button[disabled] { opacity: .5; }
.tbl .box { overflow: auto; max-height: 36rem; border: 1px solid var(--line); border-radius: 6px; }
.tbl table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13px; }
.tbl th, .tbl td { padding: 4px 12px; text-align: left; border-bottom: 1px solid var(--line); max-width: 32em; overflow-wrap: anywhere; }
.tbl thead th { position: sticky; top: 0; background: var(--sunken); padding: 0; white-space: nowrap; }
.tbl th button { border: 0; background: none; font-weight: 600; width: 100%; text-align: inherit; padding: 5px 12px; cursor: pointer; }
.tbl .number { text-align: right; }
.tbl .where { margin-left: auto; font-variant-numeric: tabular-nums; }
</style>
<div class="tbl">
<div class="bar"><input type="search" placeholder="Search" aria-label="Search the rows"><span class="count" role="status"></span>
<span class="where"></span><button type="button" data-page="-1">Previous</button><button type="button" data-page="1">Next</button>
<label>Rows <select><option>25</option><option selected>50</option><option>200</option><option>1000</option></select></label></div>
<div class="box" tabindex="0" role="region" aria-label="Rows"><table><thead><tr></tr></thead><tbody></tbody></table></div>
</div>
<script type="application/json" class="tbl-rows">""" + payload + """</script>
<script>
(() => {
  const holder = document.currentScript.previousElementSibling, root = holder.previousElementSibling;
  const { columns, rows, total } = JSON.parse(holder.textContent);
  const $ = (selector) => root.querySelector(selector);
  const number = new Intl.NumberFormat("en");
  let page = 0, sorted = null, falling = false, shown = rows;

  const compare = (index) => columns[index].number
    ? (a, b) => (a[index] === "") - (b[index] === "") || Number(a[index]) - Number(b[index])
    : (a, b) => a[index].localeCompare(b[index]);

  function select() {
    const text = $("input").value.trim().toLowerCase();
    shown = text ? rows.filter((row) => row.some((value) => value.toLowerCase().includes(text))) : rows.slice();
    if (sorted !== null) { const by = compare(sorted); shown.sort(falling ? (a, b) => by(b, a) : by); }
    page = 0;
    draw();
  }

  function draw() {
    const size = Number($("select").value), first = page * size, last = Math.min(shown.length, first + size);
    const body = document.createElement("tbody");
    for (const row of shown.slice(first, last)) {
      const line = body.insertRow();
      row.forEach((value, index) => { const cell = line.insertCell(); cell.textContent = value; if (columns[index].number) cell.className = "number"; });
    }
    $("tbody").replaceWith(body);
    $(".where").textContent = shown.length ? `${number.format(first + 1)}–${number.format(last)}` : "";
    const parts = [shown.length === rows.length ? `${number.format(total)} rows` : `${number.format(shown.length)} of ${number.format(rows.length)} rows`];
    if (rows.length < total) parts.push(`the first ${number.format(rows.length)} are here`);
    parts.push(`${columns.length} columns`);
    $(".count").textContent = shown.length ? parts.join(", ") : "No row matches.";
    $("[data-page='-1']").disabled = page === 0;
    $("[data-page='1']").disabled = last >= shown.length;
  }

  columns.forEach(({ name, number: isNumber }, index) => {
    const head = document.createElement("th"), button = document.createElement("button");
    head.scope = "col"; if (isNumber) head.className = "number";
    button.type = "button"; button.textContent = name; head.append(button); $("thead tr").append(head);
    button.addEventListener("click", () => {
      falling = sorted === index ? !falling : false; sorted = index;
      root.querySelectorAll("thead th").forEach((each) => each.removeAttribute("aria-sort"));
      root.querySelectorAll("thead button").forEach((each, at) => { each.textContent = columns[at].name + (at === index ? (falling ? " ↓" : " ↑") : ""); });
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      select();
    });
  });
  $("input").addEventListener("input", select);
  $("select").addEventListener("change", () => { page = 0; draw(); });
  root.querySelectorAll("[data-page]").forEach((button) => button.addEventListener("click", () => { page += Number(button.dataset.page); draw(); $(".box").scrollTop = 0; }));
  draw();
})();
</script>"""))
