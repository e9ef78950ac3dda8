// An evaluation's slices: one metric as a chart, all of them as a table that sorts. Data becomes text, never markup.
(() => {
  const { node, choice, whole, number, colour, start } = vizkit;
  const MAX_DRAWN = 200, STEP = 200;
  const shown = (value) => !value ? "–" : value.length === 1 ? number(value[0]) : `${number(value[0])} (${number(value[1])} to ${number(value[2])})`;
  const numeric = (value) => value && typeof value[0] === "number";

  // The chart's specification with the rows of one metric; null where no slice has it.
  function specification(data, slices, metric) {
    const rowOf = (slice, value, set) => {
      const [middle, low, high] = value, hasBounds = typeof low === "number" && typeof high === "number";
      return { slice: slice.label, set, series: data.models[set], value: middle, low: hasBounds ? low : null, high: hasBounds ? high : null, edge: hasBounds ? high : middle, short: number(middle) };
    };
    const rows = (slice) => slice.values.flatMap((own, set) => numeric(own[metric]) ? [rowOf(slice, own[metric], set)] : []);
    const drawn = slices.filter((slice) => rows(slice).length).slice(0, MAX_DRAWN);
    if (!drawn.length) return null;
    const made = structuredClone(data.chart), overall = data.slices.find((slice) => slice.columns === "Overall");
    made.title = `${data.metrics[metric]} by slice`;
    made.description = `${made.title}; the figures are in the table below.`;
    made.data.values = drawn.flatMap(rows);
    made.layer[0].data.values = overall ? rows(overall) : [];
    // Counts begin at zero; a quality is compared where it lies.
    made.encoding.x.scale.zero = data.counts.includes(data.metrics[metric]);
    made.usermeta.vizkit.fields.find(({ field }) => field === "value").title = data.metrics[metric];
    return made;
  }

  // A figure that is drawn anew for each choice, made when there is something to draw.
  function picture() {
    const caption = node("figcaption"), empty = node("p", { class: "vk-muted" }, "No slice has this metric."), rest = node("p", { class: "vk-muted" });
    const plot = node("div", { class: "vk-plot", role: "img" }), figure = node("figure", { class: "vk-figure" }, caption, plot);
    const element = node("div", { class: "ev-chart" }, figure, rest, empty);
    let drawn = null;
    function show(made, more) {
      figure.hidden = !made; empty.hidden = Boolean(made); rest.hidden = !made || more <= 0;
      rest.textContent = `${whole.format(more)} more in the table.`;
      if (!made) return;
      caption.textContent = made.title;
      plot.setAttribute("aria-label", made.description);
      if (drawn) { drawn.name = made.title; drawn.change(made); return; }
      figure.append(node("script", { type: "application/json", class: "vizkit-spec" }, JSON.stringify(made)));
      [drawn] = vizkit.figures.mount(element);
    }
    return { element, show };
  }

  function mount(root, data) {
    const several = data.models.length > 1;
    const state = { metric: 0, columns: "", text: "", least: 0, sorted: -1, model: 0, falling: false, limit: STEP };
    const plain = root.querySelector(".vk-tables"), count = data.counts.length ? data.metrics.indexOf(data.counts[0]) : -1;
    const drawing = picture(), status = node("span", { class: "ev-where", role: "status" });
    const region = node("div", { class: "vk-scroll", tabindex: 0, role: "region", "aria-label": "Slices" });
    const more = node("button", { type: "button" }, "Show more rows");
    more.addEventListener("click", () => { state.limit += 5 * STEP; draw(); });

    function sort(metric, model) {
      const same = state.sorted === metric && state.model === model;
      state.falling = same ? !state.falling : metric >= 0;
      state.sorted = metric; state.model = model;
      draw();
    }
    function chosen() {
      const text = state.text.trim().toLowerCase();
      const found = data.slices.filter((slice) => (!state.columns || slice.columns === state.columns) && (!text || slice.label.toLowerCase().includes(text))
        && (count < 0 || !state.least || slice.values.some((own) => numeric(own[count]) && own[count][0] >= state.least)));
      const key = (slice) => { const value = slice.values[state.model][state.sorted]; return numeric(value) ? value[0] : null; };
      const by = state.sorted < 0 ? null : (a, b) => { const one = key(a), other = key(b); return one === null || other === null ? (one === null) - (other === null) : (one - other) * (state.falling ? -1 : 1); };
      if (by) found.sort(by); else if (state.falling) found.reverse();
      return found;
    }
    function head() {
      const cells = [["Slice", -1, 0]];
      data.metrics.forEach((name, metric) => data.models.forEach((model, at) => cells.push([several ? `${name} · ${model}` : name, metric, at])));
      return node("tr", {}, ...cells.map(([name, metric, at]) => {
        const own = state.sorted === metric && state.model === at && (metric >= 0 || state.falling);
        const button = node("button", { type: "button" }, several && metric >= 0 ? node("span", { class: "vk-swatch", style: `background: ${colour(at)}` }) : null, own ? `${name} ${state.falling ? "↓" : "↑"}` : name);
        button.addEventListener("click", () => { sort(metric, at); region.querySelectorAll("th button")[cells.findIndex((cell) => cell[1] === metric && cell[2] === at)].focus(); });
        return node("th", { scope: "col", "aria-sort": own ? (state.falling ? "descending" : "ascending") : null }, button);
      }));
    }
    function draw() {
      const slices = chosen(), body = node("tbody");
      for (const slice of slices.slice(0, state.limit)) {
        const line = node("tr", {}, node("td", {}, slice.label));
        data.metrics.forEach((_, metric) => slice.values.forEach((own) => line.append(node("td", {}, shown(own[metric])))));
        body.append(line);
      }
      region.replaceChildren(node("table", { class: "vk-table vk-numbers" }, node("thead", {}, head()), body));
      more.hidden = slices.length <= state.limit;
      const made = specification(data, slices, state.metric);
      drawing.show(made, made ? slices.length - new Set(made.data.values.map((row) => row.slice)).size : 0);
      status.textContent = slices.length === data.slices.length ? `${whole.format(slices.length)} slices` : slices.length ? `${whole.format(slices.length)} of ${whole.format(data.slices.length)} slices` : "No slice matches.";
    }

    const cuts = [...new Set(data.slices.map((slice) => slice.columns))];
    const search = node("input", { type: "search", placeholder: "Search slices", "aria-label": "Search slices" });
    search.addEventListener("input", () => { state.text = search.value; draw(); });
    const least = node("input", { type: "number", min: 0, step: 1, value: 0 });
    least.addEventListener("input", () => { state.least = Number(least.value) || 0; draw(); });
    const legend = several ? node("ul", { class: "ev-legend" }, ...data.models.map((name, at) => node("li", {}, node("span", { class: "vk-swatch", style: `background: ${colour(at)}` }), name))) : null;
    const bar = node("div", { class: "ev-bar", role: "group", "aria-label": "What is shown" },
      choice("Metric", data.metrics.map((name, at) => [at, name]), (value) => { state.metric = Number(value); draw(); }),
      cuts.length > 1 ? choice("Slices by", [["", "all"], ...cuts.map((name) => [name, name === "Overall" ? "none (overall)" : name])], (value) => { state.columns = value; draw(); }) : null,
      count >= 0 && data.slices.length > 2 ? node("label", {}, "Examples, at least", least) : null,
      data.slices.length > 5 ? search : null, status);
    plain.replaceWith(...[legend, bar, drawing.element, region, more].filter(Boolean));
    draw();
  }

  start("evaluation", mount);
})();
