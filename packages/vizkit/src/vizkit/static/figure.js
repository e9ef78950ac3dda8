// Draws figures from the specifications in the page, in the colours of its theme. It loads nothing.
(() => {
  const { node, points, exporting, threshold } = vizkit, { View, parse, compile, logger } = vizkitVega;
  // The colours in which vizkit/drawings.py writes specifications, and the page's own for them.
  const COLOURS = { "#2457c5": "--vk-1", "#a6500b": "--vk-2", "#0b7a5b": "--vk-3", "#9b3589": "--vk-4", "#6b6200": "--vk-5", "#b3261e": "--vk-6", "#3d6f8f": "--vk-7", "#565f6b": "--vk-8", "#1b2028": "--text", "#565f6c": "--muted", "#d9dee5": "--line", "#f0f2f5": "--sunken" };
  const MANY = 3000;
  const quiet = logger(0);
  const refuse = () => Promise.reject(new Error("a result loads nothing"));
  const loader = { load: refuse, http: refuse, file: refuse, sanitize: (address) => (String(address).startsWith("data:") ? Promise.resolve({ href: address }) : refuse()) };

  // Resolves light-dark() to the colour that is in force.
  const colour = (name) => { const { body } = document, was = body.style.color; body.style.color = `var(${name})`; const found = getComputedStyle(body).color; body.style.color = was; return found; };
  // Data is no colour, whatever it says.
  function themed(value, found) {
    if (typeof value === "string") return found[value] ?? value;
    if (Array.isArray(value)) return value.map((each) => themed(each, found));
    if (!value || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, key === "values" || key === "data" ? each : themed(each, found)]));
  }
  // How a specification looks that says nothing of it; what it says itself is kept.
  function config() {
    const text = colour("--text"), muted = colour("--muted"), line = colour("--line"), font = getComputedStyle(document.body).fontFamily;
    const category = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => colour(`--vk-${number}`)), mark = { color: category[0] };
    return {
      background: "transparent", font, title: { color: text, subtitleColor: muted },
      axis: { labelColor: text, titleColor: text, domainColor: muted, tickColor: muted, gridColor: line },
      header: { labelColor: text, titleColor: text }, legend: { labelColor: text, titleColor: text }, view: { stroke: line }, range: { category },
      style: { "guide-label": { font, fill: text }, "guide-title": { font, fill: text }, cell: { stroke: line } },
      arc: mark, area: mark, bar: mark, circle: mark, line: mark, point: mark, rect: mark, square: mark, tick: mark, trail: mark, rule: { color: muted }, text: { color: text }, mark,
    };
  }
  // As vizkit/shape.py does it: without the pull to zero at the start.
  function smooth(rows, weight) {
    const states = new Map();
    return rows.map((row) => {
      const state = states.get(row.series) ?? { average: 0, total: 0 };
      states.set(row.series, state);
      state.average = state.average * weight + (1 - weight) * row.y;
      state.total = state.total * weight + (1 - weight);
      return { ...row, smoothed: state.average / state.total };
    });
  }

  class Figure {
    constructor(root) {
      this.root = root;
      this.plot = root.querySelector(".vk-plot");
      this.spec = JSON.parse(root.querySelector(":scope > script.vizkit-spec").textContent);
      this.meta = this.spec.usermeta?.vizkit;
      this.isVega = String(this.spec.$schema ?? "").includes("/vega/");
      this.values = {};
      this.isLog = false;
      this.turn = 0;
      this.status = node("p", { class: "vk-hidden", role: "status" });
      this.stage = node("div", { class: "vk-stage" });
      this.binds = node("div");
      this.plot.replaceChildren(this.stage);
      this.plot.after(this.binds);
      root.append(this.status);
      this.name = root.querySelector("figcaption")?.textContent || "chart";
      root.prepend(this.menu());
      if (this.meta?.threshold) this.attachThreshold();
      if (this.meta) this.listen();
      else { this.plot.tabIndex = 0; this.plot.setAttribute("role", "region"); }
    }

    // Draws another specification, of the same kind of chart, in its place.
    change(spec) {
      this.spec = spec;
      this.meta = spec.usermeta?.vizkit;
      this.draw();
    }

    get rows() {
      const rows = this.spec.data.values;
      return this.values.smoothing === undefined ? rows : smooth(rows, this.values.smoothing);
    }

    attachThreshold() {
      const rows = this.spec.data.values, best = this.spec.layer.find((each) => each.data?.name === "marks")?.data.values[0];
      const first = best ? rows.reduce((least, row, at) => ((row.x - best.x) ** 2 + (row.y - best.y) ** 2 < (rows[least].x - best.x) ** 2 + (rows[least].y - best.y) ** 2 ? at : least), 0) : 0;
      this.mark = threshold.attach(this.root, rows, this.meta.threshold, first, points.say, ({ x, y }) => this.view?.signal("chosen_x", x).signal("chosen_y", y).runAsync());
    }

    listen() {
      const keys = { bar: "Up and down arrow keys, Home and End read the bars.", cell: "Arrow keys read the cells." }[this.meta.near] ?? "Left and right arrow keys, Page Up and Down, Home and End move along a curve, up and down change the curve.";
      const hint = node("p", { class: "vk-hidden", id: `vk-hint-${Math.random().toString(36).slice(2)}` }, `${keys}${this.meta.has_zoom ? " Plus, minus and zero zoom." : ""}`);
      this.root.append(hint);
      this.plot.tabIndex = 0;
      for (const [name, value] of [["role", "application"], ["aria-roledescription", "chart"], ["aria-describedby", hint.id]]) this.plot.setAttribute(name, value);
      this.hide = points.attach(this.plot, this.status, () => this.view && { view: this.view, meta: this.meta, rows: this.rows.filter((row) => !this.isLog || row.y > 0) });
      this.plot.addEventListener("keydown", ({ key }) => { const by = { "+": 0.5, "=": 0.5, "-": 2, 0: 0 }[key]; if (by !== undefined) this.zoom(by); });
    }

    // By a factor around the middle; 0: all of it.
    zoom(by) {
      if (!this.meta.has_zoom) return;
      this.hide();
      for (const channel of ["x", "y"]) {
        const scale = this.view.scale(channel), [low, high] = scale.range(), middle = (low + high) / 2, reach = (high - low) / 2 * by;
        this.view.signal(`zoom_${channel}`, by ? [scale.invert(middle - reach), scale.invert(middle + reach)].map(Number) : null);
      }
      this.view.runAsync();
    }

    menu() {
      const zooms = this.meta?.has_zoom ? [["Zoom in (+)", () => this.zoom(0.5)], ["Zoom out (-)", () => this.zoom(2)], ["Show all (0)", () => this.zoom(0)]] : [];
      const figure = this;
      return exporting.menu({ get name() { return figure.name; }, get spec() { return figure.spec; }, table: () => this.table(), async view() { return figure.meta ? figure.plain() : figure.view; } }, zooms);
    }

    table() {
      if (this.meta) return { fields: this.meta.fields, rows: this.rows };
      let rows = [];
      for (const name of [this.spec.data?.name, "source_0", "data_0"]) { try { rows = this.view.data(name); break; } catch { /* not that one */ } }
      const fields = [...new Set(rows.flatMap(Object.keys))].map((field) => ({ field, title: field }));
      return { fields, rows };
    }

    // What Vega draws, with the values that controls have now.
    compiled(shown) {
      if (this.isVega) return shown;
      const spec = structuredClone(shown);
      for (const each of spec.params ?? []) if (this.values[each.name] !== undefined) each.value = this.values[each.name];
      if (this.meta && this.values.smoothing !== undefined) spec.data.values = this.rows;
      if (this.isLog) {
        spec.encoding.y.scale = { type: "log" };
        spec.transform = [...(spec.transform ?? []), { filter: "datum.y > 0" }];
      }
      return compile(spec, this.meta ? { logger: quiet } : { config: config(), logger: quiet }).spec;
    }

    // The figure as it is saved: with its title, in the light theme, zoomed as it is now.
    async plain() {
      const view = new View(parse(this.compiled(this.spec)), { renderer: "none", loader, logger: quiet });
      this.keep(view);
      return view.runAsync();
    }

    keep(view) {
      if (!this.view || !this.meta) return;
      const own = (this.spec.params ?? []).map(({ name }) => name);
      try { view.setState(this.view.getState({ signals: (name) => /^zoom_[xy]$/.test(name) || own.includes(name), data: (name) => /_store$/.test(name) })); } catch { /* nothing to keep */ }
    }

    shown() {
      const { usermeta: _, ...all } = this.spec;
      if (!this.meta) return all;
      const { title: _title, ...rest } = all, wide = Math.floor(Math.min(this.plot.clientWidth, this.meta.max_width ?? Infinity));
      const made = themed(rest, Object.fromEntries(Object.entries(COLOURS).map(([hex, name]) => [hex, colour(name)])));
      made.config = { ...made.config, background: "transparent", font: getComputedStyle(document.body).fontFamily };
      made.config.legend = { ...made.config.legend, columns: Math.max(1, Math.floor(wide / 190)), labelLimit: Math.min(300, wide - 40) };
      made.config.axisY = { labelLimit: Math.max(90, Math.round(wide * 0.34)) };
      made.width = wide;
      if (made.padding && wide < 500) made.padding = { ...made.padding, right: 64 };
      if (this.meta.is_square) made.height = Math.round(Math.min(440, wide * 0.85));
      return made;
    }

    async draw() {
      const turn = ++this.turn;
      try {
        const spec = this.compiled(this.shown()), holder = node("div"), binds = node("div", { class: "vk-binds" });
        const renderer = this.meta && this.spec.data.values.length <= MANY ? "svg" : "canvas";
        this.hide?.();
        this.stage.append(holder);
        const view = new View(parse(spec, this.isVega ? config() : undefined), { renderer, container: holder, bind: binds, hover: true, loader, logger: quiet, tooltip: this.meta ? () => {} : (_, event, item, value) => this.tooltip(event, value) });
        this.keep(view);
        await view.runAsync();
        if (turn !== this.turn) { view.finalize(); holder.remove(); return; }
        // What it shows is said beside it; the drawing itself is a picture.
        holder.querySelectorAll("canvas, svg").forEach((each) => {
          if (!this.meta) { each.setAttribute("role", "img"); each.setAttribute("aria-label", this.plot.getAttribute("aria-label")); }
        });
        if (this.meta) holder.setAttribute("aria-hidden", "true");
        this.view?.finalize();
        this.stage.replaceChildren(holder);
        this.binds.replaceChildren(binds);
        this.view = view;
        this.mark?.();
        this.root.dataset.painted = "yes";
      } catch (error) {
        if (turn !== this.turn) return;
        this.plot.removeAttribute("tabindex");
        this.plot.removeAttribute("role");
        this.stage.replaceChildren(node("p", { class: "error" }, `The specification cannot be drawn: ${error.message}`));
      }
    }

    tooltip(event, value) {
      this.tip?.remove();
      if (value === null || value === undefined || value === "") return;
      const rows = typeof value === "object" ? Object.entries(value) : [["", value]], box = this.plot.getBoundingClientRect();
      this.tip = node("div", { class: "vk-tip" }, ...rows.map(([name, each]) => node("div", {}, node("span", {}, name), node("span", {}, String(typeof each === "object" ? JSON.stringify(each) : each)))));
      this.plot.append(this.tip);
      this.tip.style.left = `${Math.max(0, Math.min(box.width - this.tip.offsetWidth, event.clientX - box.left + 14))}px`;
      this.tip.style.top = `${event.clientY - box.top + 14}px`;
    }
  }

  function tools(root, figures) {
    const bar = node("div", { class: "vk-tools" });
    const smoothing = figures.map((each) => each.spec.params?.find?.((param) => param.name === "smoothing")?.value).find((value) => value !== undefined);
    if (smoothing !== undefined && figures.every((each) => each.meta)) {
      const range = node("input", { type: "range", min: 0, max: 0.99, step: 0.01, value: smoothing }), shown = node("output", {}, Number(smoothing).toFixed(2));
      range.addEventListener("input", () => { shown.textContent = Number(range.value).toFixed(2); for (const each of figures) { each.values.smoothing = Number(range.value); each.draw(); } });
      bar.append(node("label", {}, "Smoothing", range, shown));
    }
    if (figures.some((each) => each.meta?.can_log)) {
      const box = node("input", { type: "checkbox" });
      box.addEventListener("change", () => { for (const each of figures) if (each.meta?.can_log) { each.isLog = box.checked; each.draw(); } });
      bar.append(node("label", {}, box, "Logarithmic scale"));
    }
    if (bar.children.length) root.prepend(bar);
  }

  function mount(root) {
    if (root.dataset.mounted) return [];
    root.dataset.mounted = "true";
    const figures = [...root.querySelectorAll(".vk-figure")].map((each) => new Figure(each));
    tools(root, figures);
    const drawn = new Map();
    // A page of many figures draws those that are near to be seen; each again when its width changes.
    const colours = () => Object.values(COLOURS).map(colour).join(), used = { colours: "" };
    const widths = new ResizeObserver((seen) => { used.colours ||= colours(); for (const { target } of seen) { const each = drawn.get(target); if (each && each.width !== target.clientWidth) { each.width = target.clientWidth; each.draw(); } } });
    const near = new IntersectionObserver((seen) => { for (const { isIntersecting, target } of seen) if (isIntersecting) { near.unobserve(target); drawn.set(target, figures.find((each) => each.plot === target)); widths.observe(target); } }, { rootMargin: "800px 0px" });
    // The first is what is waited for; observers would answer a frame or two later.
    const [first] = figures;
    if (first?.plot.clientWidth) {
      used.colours = colours();
      first.width = first.plot.clientWidth;
      drawn.set(first.plot, first);
      first.draw();
      widths.observe(first.plot);
    }
    for (const each of figures) if (!drawn.has(each.plot)) near.observe(each.plot);
    // A page learns late in which theme it stands, and mostly it stands in that one already.
    const again = () => { if (colours() !== used.colours) { used.colours = colours(); for (const each of drawn.values()) each.draw(); } };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return figures;
  }
  vizkit.figures = { mount };

  const start = () => document.querySelectorAll('[data-vizkit="figure"]').forEach(mount);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
