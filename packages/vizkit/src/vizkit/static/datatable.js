// A table of text cells by column: sorted, searched, filtered and paged through, without the network.
(() => {
  const format = new Intl.NumberFormat("en");
  const SIZES = [25, 50, 200, 1000], LONG = 300, SHORT = 28;

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key in made && key !== "list") made[key] = value;
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };

  // A column that does not write its numbers plainly has their decimal mark; signs of percent and currency are left out.
  const SIGNS = /[%‰$€£¥₹'’\s]|\b(?:USD|EUR|GBP|CHF)\b/g;
  const numberOf = (text, mark) => {
    if (text === null || text === "") return NaN;
    if (!mark) return Number(text.replaceAll(",", ""));
    const bare = text.trim().replace(/^\((.*)\)$/, "-$1").replace(SIGNS, "").replace("\u2212", "-");
    return bare === "" ? NaN : Number(mark === "," ? bare.replaceAll(".", "").replace(",", ".") : bare.replaceAll(",", ""));
  };

  // What stands in a filter: a part of the text, or, for numbers, =5, >5, >=5, <5, <=5 and 2..5.
  const matcher = (text, { number: isNumber, mark }) => {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return null;
    const range = isNumber && /^(-?[\d.e+-]+)\s*\.\.\s*(-?[\d.e+-]+)$/.exec(wanted);
    if (range) { const low = Number(range[1]), high = Number(range[2]); return (cell) => { const value = numberOf(cell, mark); return value >= low && value <= high; }; }
    const compared = isNumber && /^(>=|<=|>|<|=)\s*(-?[\d.e+-]+)$/.exec(wanted);
    if (compared) {
      const limit = Number(compared[2]);
      const by = { ">": (a) => a > limit, ">=": (a) => a >= limit, "<": (a) => a < limit, "<=": (a) => a <= limit, "=": (a) => a === limit }[compared[1]];
      return (cell) => by(numberOf(cell, mark));
    }
    if (wanted.startsWith("=")) return (cell) => (cell ?? "").toLowerCase() === wanted.slice(1);
    return (cell) => cell !== null && cell.toLowerCase().includes(wanted);
  };

  const mount = (root) => {
    const holder = root.querySelector(":scope > script[type='application/json']");
    if (!holder || root.dataset.mounted) return;
    root.dataset.mounted = "yes";
    const { columns, cells, total, caption, notes, summary } = JSON.parse(holder.textContent);
    holder.remove();
    const count = cells.length ? cells[0].length : 0;
    const all = Uint32Array.from({ length: count }, (_, row) => row);
    const keys = new Map();
    let shown = all, page = 0, sorted = -1, isFalling = false;

    const search = element("input", { type: "search", placeholder: "Search", ariaLabel: "Search all columns" });
    const status = element("span", { role: "status" }), where = element("span", { className: "vk-datatable-where" });
    const back = element("button", { type: "button" }, "Previous"), on = element("button", { type: "button" }, "Next");
    const size = element("select", {}, ...SIZES.map((each) => element("option", { selected: each === 50 }, String(each))));
    const filtering = element("button", { type: "button", ariaExpanded: "false" }, "Filters");
    const heads = element("tr"), filters = element("tr", { className: "vk-datatable-filters", hidden: true });
    let body = element("tbody");
    const label = caption || "Rows";
    const box = element("div", { className: "vk-scroll", tabIndex: 0, role: "region", ariaLabel: label },
      element("table", { className: "vk-table", ariaLabel: label }, element("thead", {}, heads, filters), body));

    const keysOf = (index) => {
      if (!keys.has(index)) keys.set(index, columns[index].number ? Float64Array.from(cells[index], (cell) => numberOf(cell, columns[index].mark)) : cells[index]);
      return keys.get(index);
    };
    const text = new Intl.Collator("en", { numeric: true });
    const order = (index) => {
      const key = keysOf(index), sign = isFalling ? -1 : 1;
      // What is no value comes last, whichever way.
      if (columns[index].number) return (a, b) => (Number.isNaN(key[a]) - Number.isNaN(key[b])) || sign * (key[a] - key[b]) || a - b;
      const isNone = (row) => key[row] === null || key[row] === "";
      return (a, b) => (isNone(a) - isNone(b)) || (isNone(a) ? a - b : sign * text.compare(key[a], key[b]) || a - b);
    };

    const select = () => {
      const wanted = search.value.trim().toLowerCase();
      const tests = [...filters.querySelectorAll("input")].map((input, index) => matcher(input.value, columns[index]));
      const active = tests.flatMap((test, index) => (test ? [[test, cells[index]]] : []));
      let found = all;
      if (wanted || active.length) {
        found = all.filter((row) => active.every(([test, column]) => test(column[row]))
          && (!wanted || cells.some((column) => column[row] !== null && column[row].toLowerCase().includes(wanted))));
      }
      shown = sorted < 0 ? found : found.slice().sort(order(sorted));
      page = 0;
      draw();
    };

    const fill = (cell, value) => {
      if (value === null) { cell.append(element("span", { className: "vk-muted" }, "null")); return; }
      if (value.length <= LONG) { cell.textContent = value; return; }
      const part = element("span", {}, value.slice(0, LONG) + "… ");
      const more = element("button", { type: "button", className: "vk-datatable-more" }, "all of it");
      more.addEventListener("click", () => { cell.textContent = value; cell.tabIndex = -1; cell.focus(); });
      cell.append(part, more);
    };

    const draw = () => {
      const each = Number(size.value), first = page * each, last = Math.min(shown.length, first + each);
      const rows = element("tbody");
      for (const row of shown.subarray(first, last)) {
        const line = rows.insertRow();
        columns.forEach((column, index) => {
          const cell = line.insertCell();
          const value = cells[index][row];
          if (column.number) cell.className = "vk-right";
          else if (value !== null && value.length <= SHORT) cell.className = "vk-short";
          fill(cell, value);
        });
      }
      body.replaceWith(rows);
      body = rows;
      where.textContent = shown.length ? `${format.format(first + 1)}–${format.format(last)}` : "";
      const said = [shown.length === count ? `${format.format(total)} ${total === 1 ? "row" : "rows"}` : `${format.format(shown.length)} of ${format.format(count)} rows`];
      if (count < total) said.push(`the first ${format.format(count)} are shown`);
      said.push(`${format.format(columns.length)} ${columns.length === 1 ? "column" : "columns"}`);
      status.textContent = shown.length || !count ? said.join(", ") : "No row matches.";
      back.disabled = page === 0;
      on.disabled = last >= shown.length;
    };

    columns.forEach((column, index) => {
      const mark = element("span", { ariaHidden: "true" });
      const button = element("button", { type: "button" }, column.name, mark);
      const head = element("th", { scope: "col" }, button);
      head.classList.toggle("vk-right", column.number);
      button.addEventListener("click", () => {
        isFalling = sorted === index && !isFalling;
        sorted = index;
        for (const each of heads.children) { each.removeAttribute("aria-sort"); each.querySelector("span").textContent = ""; }
        head.setAttribute("aria-sort", isFalling ? "descending" : "ascending");
        mark.textContent = isFalling ? " ↓" : " ↑";
        select();
      });
      heads.append(head);
      const input = element("input", { type: "text", ariaLabel: `Filter ${column.name}`, placeholder: column.number ? ">5 or 2..5" : "contains" });
      input.addEventListener("input", select);
      filters.append(element("td", {}, input));
    });

    filtering.addEventListener("click", () => {
      filters.hidden = !filters.hidden;
      filtering.ariaExpanded = String(!filters.hidden);
      if (filters.hidden) { filters.querySelectorAll("input").forEach((input) => { input.value = ""; }); select(); }
      else filters.querySelector("input")?.focus();
    });
    search.addEventListener("input", select);
    size.addEventListener("change", () => { page = 0; draw(); });
    back.addEventListener("click", () => { page -= 1; draw(); box.scrollTop = 0; });
    on.addEventListener("click", () => { page += 1; draw(); box.scrollTop = 0; });

    const said = count < total ? [`Search, sorting and filters apply to the first ${format.format(count)} rows; the column statistics cover all ${format.format(total)}.`] : [];
    const bar = element("div", { className: "vk-datatable-bar" }, search, filtering, status, where, back, on, element("label", {}, "Rows a page ", size));
    // One page needs no way to another.
    if (count <= SIZES[0]) [where, back, on, size.parentElement].forEach((each) => { each.hidden = true; });
    if (count <= 10) [search, filtering].forEach((each) => { each.hidden = true; });
    root.replaceChildren(...(caption ? [element("h3", {}, caption)] : []), bar, ...[...said, ...notes].map((each) => element("p", { className: "vk-muted" }, each)), box, ...figures(summary, count < total));
    draw();
  };

  const figures = (summary, isOpen) => {
    if (!summary.length) return [];
    const line = (name, values, right) => element("tr", {}, ...values.map((value, at) => element(name, { scope: "col", className: right(at) ? "vk-right" : "" }, value)));
    const shown = (value) => (Math.abs(value) < 1e-4 && value !== 0 ? value.toExponential(4) : new Intl.NumberFormat("en", { maximumSignificantDigits: 8, useGrouping: false }).format(value));
    const rows = summary.map((each) => {
      const isNumber = each.kind === "number";
      const distinct = each.distinct === null ? "" : (each.is_exact ? "" : "about ") + format.format(each.is_exact ? each.distinct : Number(each.distinct.toPrecision(3)));
      const values = [each.name, each.kind, format.format(each.missing), distinct, each.low, each.high, each.mean === null ? "" : shown(each.mean)];
      return element("tr", {}, ...values.map((value, at) => element(at ? "td" : "th", { ...(at ? {} : { scope: "row" }), className: at === 2 || at === 3 || at === 6 || (isNumber && at > 3) ? "vk-right" : value.length <= SHORT ? "vk-short" : "" }, value)));
    });
    const head = line("th", ["Column", "Kind", "Missing", "Distinct", "Least", "Greatest", "Mean"], (at) => at > 1);
    const box = element("div", { className: "vk-scroll", tabIndex: 0, role: "region", ariaLabel: "Figures of the columns" },
      element("table", { className: "vk-table", ariaLabel: "Figures of the columns" }, element("thead", {}, head), element("tbody", {}, ...rows)));
    return [element("details", { className: "vk-datatable-figures", open: isOpen }, element("summary", {}, "Columns over all rows"), box)];
  };

  const start = () => document.querySelectorAll("[data-vizkit=datatable]").forEach(mount);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start, { once: true });
  else start();
})();
