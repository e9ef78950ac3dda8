// The charts of statistics: a feature's figures as the rows of the specification for its kind. It becomes data, never markup.
vizkit.statistics = (() => {
  const { node, whole, number } = vizkit;
  const MAX_BARS = 8;
  const TITLES = { standard: "Histogram", quantiles: "Tenths of the values", values: "Most frequent values" };
  const finite = ([low, high]) => typeof low === "number" && typeof high === "number";
  const sum = (list) => list.reduce((total, value) => total + value, 0);

  function words(data, feature) {
    return data.datasets.map((set, at) => {
      const own = feature.sets[at];
      if (!own) return `${set.name}: not there`;
      const about = feature.kind === "number" ? `from ${number(own.min)} to ${number(own.max)}, median ${number(own.median)}` : `${number(own.unique)} different values`;
      return `${set.name}: ${about}`;
    }).join("; ");
  }

  function buckets(data, feature, kind) {
    return feature.sets.flatMap((own, set) => {
      const found = (own?.[kind] ?? []).filter(finite), total = sum(found.map(([, , count]) => count));
      // One value alone is a bar of width 1.
      return found.map(([low, high, count], at) => ({ set, series: data.datasets[set].name, low, high, x: low === high ? low - 0.5 : low, x2: low === high ? high + 0.5 : high, count, share: total ? count / total : 0, is_odd: at % 2 === 1, median: own.median }));
    });
  }

  // The values that any data set has among its most frequent, with their counts in each.
  function ranked(feature) {
    const found = new Map();
    feature.sets.forEach((own, at) => (own?.top ?? []).forEach(([value, count]) => {
      if (!found.has(value)) found.set(value, feature.sets.map(() => 0));
      found.get(value)[at] += count;
    }));
    const share = (counts) => Math.max(...counts.map((count, at) => count / Math.max(1, feature.sets[at]?.values ?? 1)));
    return [...found].sort((a, b) => share(b[1]) - share(a[1]));
  }

  function bars(data, feature) {
    return ranked(feature).slice(0, MAX_BARS).flatMap(([value, counts]) => counts.map((count, set) => {
      const share = count / Math.max(1, feature.sets[set]?.values ?? 1);
      return { value: value === "" ? "(empty)" : value, set, series: data.datasets[set].name, count, share };
    }));
  }

  const kindOf = (feature, state) => feature.kind === "number" ? state.kind : "values";

  function specification(data, feature, state) {
    const kind = kindOf(feature, state), made = structuredClone(data.charts[kind]);
    const rows = kind === "values" ? bars(data, feature) : buckets(data, feature, kind), field = state.percent ? "share" : "count";
    made.title = `${TITLES[kind]} of ${feature.name}`;
    made.description = `${made.title}. ${words(data, feature)}`;
    made.data.values = kind === "values" ? rows.map((row) => ({ ...row, short: state.percent ? `${(100 * row.share).toPrecision(3)} %` : number(row.count) })) : rows;
    if (kind === "quantiles") return made;
    const channel = kind === "values" ? "x" : "y", along = made.encoding[channel], most = Math.max(0, ...rows.map((row) => row[field]));
    along.field = made.usermeta.vizkit[channel] = field;
    along.axis = { ...along.axis, format: state.percent ? "~%" : "~s" };
    // Linear below a ten-thousandth of the greatest share, or below one value, so that nothing has no height.
    if (state.log && most) along.scale = { type: "symlog", constant: state.percent ? most / 1e4 : Math.min(1, most / 10) };
    return made;
  }

  // A feature's chart: its element, and how to draw it for another state.
  function chart(data, feature, state) {
    const first = specification(data, feature, state), caption = node("figcaption", {}, TITLES[kindOf(feature, state)]);
    if (!first.data.values.length) return { element: node("p", { class: "vk-muted" }, feature.kind === "number" ? "No number to draw." : "No values."), change() {} };
    const plot = node("div", { class: "vk-plot", role: "img", "aria-label": first.description });
    const figure = node("figure", { class: "vk-figure" }, caption, plot, node("script", { type: "application/json", class: "vizkit-spec" }, JSON.stringify(first)));
    const element = node("div", {}, figure), unique = Math.max(0, ...feature.sets.map((own) => own?.unique ?? 0));
    const more = feature.kind === "number" ? 0 : Math.max(unique, ranked(feature).length) - MAX_BARS;
    if (more > 0) element.append(node("p", { class: "vk-muted" }, `and ${whole.format(more)} more`));
    const [drawn] = vizkit.figures.mount(element);
    function change(next) {
      const made = specification(data, feature, next);
      caption.textContent = TITLES[kindOf(feature, next)];
      plot.setAttribute("aria-label", made.description);
      drawn.name = made.title;
      drawn.change(made);
    }
    drawn.name = first.title;
    return { element, change };
  }

  return { chart, ranked };
})();
