// An evaluation's slices: one metric as a chart, all of them as a table that sorts. Data becomes text, never markup.
(() => {
  const { node, shape, choice, whole, number, clip, colour, start } = vizkit;
  const RIGHT = 70, MAX_DRAWN = 200, STEP = 200;
  const shown = (value) => !value ? "–" : value.length === 1 ? number(value[0]) : `${number(value[0])} (${number(value[1])} to ${number(value[2])})`;
  const numeric = (value) => value && typeof value[0] === "number";

  function chart(data, slices, metric, width) {
    const WIDTH = Math.min(900, Math.max(300, width)), LEFT = Math.min(230, Math.round(WIDTH * 0.4));
    const values = (slice) => slice.values.map((own) => own[metric]);
    const drawn = slices.filter((slice) => values(slice).some(numeric)).slice(0, MAX_DRAWN);
    if (!drawn.length) return node("p", { class: "vk-muted" }, "No slice has this metric.");
    const all = drawn.flatMap(values).filter(numeric).flat().filter((value) => typeof value === "number");
    let low = Math.min(...all), high = Math.max(...all);
    // Counts begin at zero; a quality is compared where it lies.
    if (data.counts.includes(data.metrics[metric])) low = Math.min(0, low);
    if (low === high) { low -= Math.abs(low) * 0.1 || 0.5; high += Math.abs(high) * 0.1 || 0.5; }
    const room = (high - low) * 0.04;
    if (low !== 0) low -= room;
    high += room;
    const row = 18 + 8 * (data.models.length - 1), tall = row * drawn.length + 30, x = (value) => LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT);
    const words = `${data.metrics[metric]} by slice; the figures are in the table below.`;
    const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${tall}`, width: WIDTH, height: tall, role: "img", "aria-label": words });
    const place = (text, at, y, anchor, kind = null) => { const made = shape("text", { x: at, y, "text-anchor": anchor, class: kind }); made.textContent = text; svg.append(made); };
    const overall = data.slices.find((slice) => slice.columns === "Overall");
    for (const share of [0, 0.5, 1]) {
      const value = low + (high - low) * share;
      svg.append(shape("line", { class: "ev-line", x1: x(value), x2: x(value), y1: 0, y2: tall - 24 }));
      place(number(Number(value.toPrecision(3))), x(value), tall - 8, "middle");
    }
    data.models.forEach((name, at) => {
      const value = overall?.values[at][metric];
      if (numeric(value) && value[0] >= low && value[0] <= high) svg.append(shape("line", { class: "ev-overall", style: data.models.length > 1 ? `stroke: ${colour(at)}` : null, x1: x(value[0]), x2: x(value[0]), y1: 0, y2: tall - 24 }));
    });
    drawn.forEach((slice, line) => {
      const top = row * line;
      place(clip(slice.label, Math.round(LEFT / 7.6)), LEFT - 12, top + row / 2 + 4, "end", "ev-label");
      values(slice).forEach((value, at) => {
        if (!numeric(value)) return;
        const y = top + row / 2 + 8 * (at - (data.models.length - 1) / 2);
        if (value.length === 3 && typeof value[1] === "number" && typeof value[2] === "number") svg.append(shape("line", { x1: x(value[1]), x2: x(value[2]), y1: y, y2: y, stroke: colour(at), "stroke-width": 2, "stroke-opacity": 0.5 }));
        svg.append(shape("circle", { cx: x(value[0]), cy: y, r: 4.5, fill: colour(at) }));
        if (data.models.length === 1) place(number(value[0]), x(value[value.length === 3 && typeof value[2] === "number" ? 2 : 0]) + 10, y + 4, "start");
      });
    });
    const more = slices.length - drawn.length;
    return node("div", { class: "ev-chart", tabindex: 0, role: "region", "aria-label": "Chart" }, svg, more > 0 ? node("p", { class: "vk-muted" }, `${whole.format(more)} more in the table.`) : null);
  }

  function mount(root, data) {
    const several = data.models.length > 1;
    const state = { metric: 0, columns: "", text: "", least: 0, sorted: -1, model: 0, falling: false, limit: STEP };
    const plain = root.querySelector(".vk-tables"), count = data.counts.length ? data.metrics.indexOf(data.counts[0]) : -1;
    const picture = node("div"), status = node("span", { class: "ev-where", role: "status" });
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
      picture.replaceChildren(chart(data, slices, state.metric, picture.clientWidth));
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
    plain.replaceWith(...[legend, bar, picture, region, more].filter(Boolean));
    let width = 0;
    new ResizeObserver(() => { if (picture.clientWidth !== width) { width = picture.clientWidth; draw(); } }).observe(picture);
    draw();
  }

  start("evaluation", mount);
})();
