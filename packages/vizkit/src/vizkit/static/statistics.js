// Statistics of data sets: a card for each feature, drawn when it comes into view. Data becomes text, never markup.
(() => {
  const { node, choice, whole, number, percent, clip, colour, start } = vizkit, { chart, ranked } = vizkit.statistics;

  // --- Figures ----------------------------------------------------------------------------------------------------

  const FIGURES = {
    number: [["Mean", (own) => number(own.mean)], ["Std. dev.", (own) => number(own.std_dev)], ["Zeros", (own) => own.zeros === undefined ? "–" : percent(own.zeros, own.values)], ["Min", (own) => number(own.min)], ["Median", (own) => number(own.median)], ["Max", (own) => number(own.max)]],
    text: [["Unique", (own) => number(own.unique)], ["Avg. length", (own) => number(own.avg_length)], ["Top value", (own) => own.top?.length ? `${clip(own.top[0][0], 40) || "(empty)"} (${percent(own.top[0][1], own.values)})` : "–", "st-wide"]],
  };
  function figures(data, feature) {
    const list = node("dl", { class: "st-figures" });
    const rows = [
      ["Count", (own) => number(own.count)],
      ["Missing", (own) => percent(own.missing, own.count + own.missing), null, (own) => own.missing >= 0.1 * (own.count + own.missing) && own.missing > 0],
      ...FIGURES[feature.kind],
    ];
    if (feature.sets.some((own) => own?.most)) rows.push(["Values each", (own) => own.most ? `${number(own.fewest)} to ${number(own.most)}` : "1"], ["Values", (own) => number(own.values)]);
    if (feature.sets.some((own) => own?.nan)) rows.push(["Not a number", (own) => number(own.nan ?? 0)]);
    if (feature.sets.some((own) => own?.invalid)) rows.push(["Invalid UTF-8", (own) => number(own.invalid ?? 0)]);
    for (const [name, show, kind = null, alarm = () => false] of rows) {
      const group = node("div", { class: kind }, node("dt", {}, name));
      feature.sets.forEach((own, at) => {
        const cell = node("dd", { class: own && alarm(own) ? "st-alarm" : null });
        if (data.datasets.length > 1) cell.append(node("span", { class: "vk-swatch", style: `background: ${colour(at)}` }), node("span", { class: "vk-hidden" }, `${data.datasets[at].name}: `));
        cell.append(own ? show(own) : "–");
        group.append(cell);
      });
      list.append(group);
    }
    if (feature.difference !== null) list.append(node("div", {}, node("dt", {}, "Difference"), node("dd", {}, number(feature.difference))));
    return list;
  }

  function table(head, rows, caption) {
    const body = node("tbody");
    for (const row of rows) body.append(node("tr", {}, ...row.map((cell, at) => node(at ? "td" : "th", at ? {} : { scope: "row" }, cell))));
    return node("div", { class: "vk-scroll", tabindex: 0, role: "region", "aria-label": caption },
      node("table", { class: "vk-table" }, node("caption", {}, caption), node("thead", {}, node("tr", {}, ...head.map((name) => node("th", { scope: "col" }, name)))), body));
  }
  function tables(data, feature) {
    const made = [];
    if (feature.kind === "number") {
      for (const [kind, title] of [["standard", "Buckets of equal width"], ["quantiles", "Buckets of equal count (tenths)"]]) {
        feature.sets.forEach((own, at) => {
          if (own?.[kind]?.length) made.push(table(["From", "To", "Values"], own[kind].map((bucket) => bucket.map(number)), data.datasets.length > 1 ? `${title}: ${data.datasets[at].name}` : title));
        });
      }
    } else {
      const head = ["Value", ...data.datasets.flatMap(({ name }) => data.datasets.length > 1 ? [name, "Share"] : ["Count", "Share"])];
      const rows = ranked(feature).map(([value, counts]) => [value === "" ? "(empty)" : value, ...counts.flatMap((count, at) => [number(count), percent(count, feature.sets[at]?.values)])]);
      if (rows.length) made.push(table(head, rows, "Most frequent values"));
    }
    return made;
  }

  // --- The page ---------------------------------------------------------------------------------------------------

  const mean = (list) => list.length ? list.reduce((sum, value) => sum + value, 0) / list.length : 0;
  const over = (read) => (feature) => Math.max(-Infinity, ...feature.sets.filter(Boolean).map(read).filter((value) => typeof value === "number"));
  const SORTS = {
    order: ["Feature order", null],
    name: ["Name", (a, b) => a.name.localeCompare(b.name)],
    missing: ["Most missing", over((own) => own.missing / Math.max(1, own.count + own.missing))],
    zeros: ["Most zeros", over((own) => own.zeros === undefined ? -1 : own.zeros / Math.max(1, own.values))],
    uneven: ["Least even", (feature) => feature.unevenness],
    mean: ["Highest mean", over((own) => own.mean)],
    deviation: ["Highest deviation", over((own) => own.std_dev)],
    unique: ["Most unique values", over((own) => own.unique)],
    difference: ["Largest difference", (feature) => feature.difference ?? -1],
  };

  function mount(root, data) {
    const several = data.datasets.length > 1;
    const state = { text: "", type: "", sort: "order", back: false, kind: "standard", log: false, percent: several, view: "charts" };
    const plain = root.querySelector(".vk-tables"), status = node("span", { class: "st-where", role: "status" });
    const cards = data.features.map((feature) => node("article", { class: "st-card", "aria-label": feature.name }));
    const built = new Map();
    const groups = [["number", "Numeric features"], ["text", "Categorical features"]].map(([kind, title]) => {
      const count = node("span"), list = node("div");
      return { kind, count, list, section: node("section", { class: "st-group" }, node("h2", {}, title, " ", count), list) };
    });

    function build(at) {
      if (built.has(at)) return;
      const feature = data.features[at], drawn = chart(data, feature, state), all = node("details", {}, node("summary", {}, "All figures as a table"));
      all.addEventListener("toggle", () => { if (all.open && all.children.length === 1) { const found = tables(data, feature); all.append(...(found.length ? found : [node("p", {}, "There are no values.")])); } });
      cards[at].replaceChildren(
        node("div", {}, node("h3", {}, feature.name || "(no name)", node("span", {}, feature.type)), figures(data, feature), all),
        node("div", { class: "st-chart" }, drawn.element));
      built.set(at, drawn);
    }
    const near = new IntersectionObserver((seen) => {
      for (const each of seen) if (each.isIntersecting) { near.unobserve(each.target); build(cards.indexOf(each.target)); }
    }, { rootMargin: "800px 0px" });
    function redraw() { for (const drawn of built.values()) drawn.change(state); }

    function arrange() {
      const text = state.text.trim().toLowerCase(), by = SORTS[state.sort][1];
      let order = data.features.map((feature, at) => at).filter((at) => {
        const feature = data.features[at];
        return (!text || feature.name.toLowerCase().includes(text)) && (!state.type || feature.type === state.type || feature.kind === state.type);
      });
      const found = (at) => by(data.features[at]);
      if (by && by.length === 2) order.sort((a, b) => by(data.features[a], data.features[b]));
      else if (by) order.sort((a, b) => found(b) - found(a) || a - b);
      if (state.back) order.reverse();
      for (const { kind, count, list, section } of groups) {
        const own = order.filter((at) => data.features[at].kind === kind);
        list.replaceChildren(...own.map((at) => cards[at]));
        count.textContent = `(${whole.format(own.length)})`;
        section.hidden = !own.length;
      }
      for (const at of order) if (!built.has(at)) near.observe(cards[at]);
      status.textContent = order.length === data.features.length ? `${whole.format(order.length)} features` : order.length ? `${whole.format(order.length)} of ${whole.format(data.features.length)} features` : "No feature matches.";
      for (const row of plain.querySelectorAll("tbody tr")) row.hidden = Boolean(text) && !row.cells[0].textContent.toLowerCase().includes(text);
    }

    function show() {
      plain.classList.toggle("st-hide", state.view !== "table");
      groups.forEach(({ section }) => section.classList.toggle("st-hide", state.view === "table"));
    }

    const search = node("input", { type: "search", placeholder: "Search features", "aria-label": "Search features by name" });
    search.addEventListener("input", () => { state.text = search.value; arrange(); });
    const types = [...new Set(data.features.map((feature) => feature.type))].sort();
    const kinds = new Set(data.features.map((feature) => feature.kind));
    const sorts = Object.entries(SORTS).filter(([key]) => (key !== "difference" || several) && (kinds.has("number") || !["zeros", "mean", "deviation"].includes(key)) && (kinds.has("text") || key !== "unique"));
    const turn = node("button", { type: "button", "aria-pressed": "false" }, "Reverse");
    turn.addEventListener("click", () => { state.back = !state.back; turn.setAttribute("aria-pressed", state.back); arrange(); });
    const bar = node("div", { class: "st-bar", role: "group", "aria-label": "What is shown" }, search,
      types.length > 1 ? choice("Type", [["", "all"], ...(kinds.size > 1 ? [["number", "numeric"], ["text", "categorical"]] : []), ...types.map((type) => [type, type])], (value) => { state.type = value; arrange(); }) : null,
      choice("Sort by", sorts.map(([key, [name]]) => [key, name]), (value) => { state.sort = value; arrange(); }), turn,
      kinds.has("number") ? choice("Buckets of", [["standard", "equal width"], ["quantiles", "equal count"]], (value) => { state.kind = value; redraw(); }) : null,
      choice("Scale", [["linear", "linear"], ["log", "logarithmic"]], (value) => { state.log = value === "log"; redraw(); }),
      choice("Show", [["count", "counts"], ["percent", "percentages"]], (value) => { state.percent = value === "percent"; redraw(); }, state.percent ? "percent" : "count"),
      choice("As", [["charts", "charts"], ["table", "one table"]], (value) => { state.view = value; show(); }), status);
    plain.before(bar, ...groups.map(({ section }) => section));
    arrange();
    show();
  }

  start("statistics", mount);
})();
