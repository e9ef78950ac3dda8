// Makes the charts that the server drew alive: a legend that switches, a crosshair, keys, smoothing, a log scale.
(() => {
  const VIEW = 1000;
  const number = (value) => {
    if (value === null) return "∞";
    if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en");
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e15)) return value.toExponential(3);
    return value.toLocaleString("en", size < 1e4 ? { maximumSignificantDigits: 4 } : { maximumFractionDigits: 0 });
  };
  const say = (scale, value) =>
    scale.kind === "percent" ? `${number(value * 100)}%`
      : scale.kind === "date" ? new Date(value * 1000).toISOString().replace("T", " ").slice(0, 19)
        : number(value);
  const place = (scale, value) => {
    if (scale.log) return value > 0 ? Math.log10(value / scale.low) / Math.log10(scale.high / scale.low) : NaN;
    return (value - scale.low) / (scale.high - scale.low);
  };
  // As vizkit/shape.py does it: without the pull to zero at the start.
  const smooth = (values, weight) => {
    let average = 0, total = 0;
    return values.map((value) => {
      average = average * weight + (1 - weight) * value;
      total = total * weight + (1 - weight);
      return average / total;
    });
  };
  const element = (name, classes = "", text = "") => {
    const made = document.createElement(name);
    if (classes) made.className = classes;
    made.textContent = text;
    return made;
  };
  let ids = 0;

  function points(chart, xs, ys, steps) {
    const found = [];
    let last = null;
    xs.forEach((value, n) => {
      const x = place(chart.x, value) * VIEW, y = (1 - place(chart.scale, ys[n])) * VIEW;
      if (!Number.isFinite(x) || !Number.isFinite(y)) return;
      const at = [x.toFixed(1), y.toFixed(1)];
      if (steps && last) found.push(steps === "after" ? `${at[0]},${last[1]}` : `${last[0]},${at[1]}`);
      found.push(at.join(","));
      last = at;
    });
    return found;
  }

  function redraw(chart) {
    const { figure, scale } = chart;
    const find = (selector) => figure.querySelector(selector);
    const ticks = scale.ticks.map(([value, text]) => [place(scale, value), text]);
    find(".vk-yticks").replaceChildren(find(".vk-yticks i"), ...ticks.map(([at, text]) => {
      const made = element("span", "", text);
      made.style.bottom = `${at * 100}%`;
      return made;
    }));
    find(".vk-gridy").setAttribute("d", ticks.map(([at]) => `M0 ${((1 - at) * VIEW).toFixed(1)}H${VIEW}`).join(""));
    figure.querySelectorAll(".vk-guide").forEach((line, n) =>
      line.setAttribute("points", points(chart, chart.guides[n].x, chart.guides[n].y).join(" ")));
    figure.querySelectorAll(".vk-band").forEach((area, n) => {
      const { x, low, high } = chart.bands[n];
      area.setAttribute("points", points(chart, [...x, ...x.slice().reverse()], [...high, ...low.slice().reverse()]).join(" "));
    });
    figure.querySelectorAll(".vk-mark, .vk-word").forEach((word) => {
      const n = word.dataset.place, at = place(scale, word.matches(".vk-mark") ? chart.marks[n][1] : chart.guides[n].y.at(-1));
      word.style.bottom = `${at * 100}%`;
      word.style.visibility = Number.isFinite(at) ? "" : "hidden";
    });
    chart.series.forEach((each, n) => {
      const group = find(`g[data-series="${n}"]`);
      each.drawn = chart.weight > 0 ? smooth(each.y, chart.weight) : each.y;
      const drawn = points(chart, each.x, each.drawn, each.steps);
      group.querySelector(".vk-line").setAttribute("points", drawn.join(" "));
      group.querySelector(".vk-raw").setAttribute("points", chart.weight > 0 ? points(chart, each.x, each.y, each.steps).join(" ") : "");
      group.querySelector(".vk-dots")?.setAttribute("d", drawn.map((at) => `M${at.replace(",", " ")}h0`).join(""));
      const fill = group.querySelector(".vk-fill");
      if (fill && drawn.length) fill.setAttribute("points", `${drawn[0].split(",")[0]},${VIEW} ${drawn.join(" ")} ${drawn.at(-1).split(",")[0]},${VIEW}`);
    });
  }

  // Returns the index of the nearest value, of several the last: a curve that rises straight up ends there.
  const nearest = (values, wanted) => {
    let best = 0;
    values.forEach((value, at) => { if (Math.abs(value - wanted) <= Math.abs(values[best] - wanted)) best = at; });
    return best;
  };

  function pick(chart, x, y) {
    const box = chart.plot.getBoundingClientRect();
    let best = null, least = Infinity;
    chart.series.forEach((each, n) => {
      if (!each.shown) return;
      each.x.forEach((value, at) => {
        const across = (place(chart.x, value) - x) * box.width, up = (place(chart.scale, each.drawn[at]) - y) * box.height;
        if (!Number.isFinite(up)) return;
        const distance = chart.near === "point" ? across * across + up * up : across * across * 1e6 + Math.abs(up);
        if (distance < least) { least = distance; best = [n, at]; }
      });
    });
    return best;
  }

  function show(chart, chosen, isSaid) {
    chart.chosen = chosen;
    const [active, index] = chosen;
    const x = chart.series[active].x[index], across = place(chart.x, x);
    const rows = chart.series.map((each, n) => [each, n, n === active ? index : nearest(each.x, x)]).filter(([each]) => each.shown && each.x.length);
    const lines = [[element("span", "", chart.x.title || "x"), element("span", "", say(chart.x, x)), false]];
    const dots = [], said = [`${chart.x.title || "x"} ${say(chart.x, x)}`];
    for (const [each, n, at] of rows) {
      const name = element("span"), key = element("i", "vk-key");
      name.dataset.colour = each.colour;
      name.append(key, rows.length > 1 ? each.name : chart.scale.title || each.name);
      const value = say(chart.scale, each.drawn[at]) + (chart.weight > 0 ? ` (${say(chart.scale, each.y[at])})` : "");
      // Far more than fit are not read: the chosen one, and those around it.
      if (rows.length <= 14 || Math.abs(n - active) <= 6) lines.push([name, element("span", "", value), rows.length > 1 && n === active]);
      if (n === active || rows.length <= 3) said.push(`${rows.length > 1 ? each.name : chart.scale.title} ${value}`);
      if (n === active && each.notes) {
        lines.push([element("span", "", each.note), element("span", "", number(each.notes[at])), false]);
        said.push(`${each.note} ${number(each.notes[at])}`);
      }
      if (n !== active && chart.near === "point") continue;
      const dot = element("i", "vk-dot");
      dot.dataset.colour = each.colour;
      dot.style.left = `${place(chart.x, each.x[at]) * 100}%`;
      dot.style.bottom = `${place(chart.scale, each.drawn[at]) * 100}%`;
      dot.style.margin = "-5.5px";
      dots.push(dot);
    }
    chart.tip.replaceChildren(...lines.map(([name, value, isChosen]) => {
      const line = element("div", isChosen ? "vk-chosen" : "");
      line.append(name, value);
      return line;
    }));
    chart.over.replaceChildren(chart.cross, ...dots, chart.tip);
    chart.cross.style.left = `${across * 100}%`;
    const up = place(chart.scale, chart.series[active].drawn[index]);
    chart.tip.style.left = chart.tip.style.right = chart.tip.style.top = chart.tip.style.bottom = "";
    chart.tip.style[across > 0.5 ? "right" : "left"] = `calc(${(across > 0.5 ? 1 - across : across) * 100}% + 14px)`;
    chart.tip.style[up > 0.5 ? "top" : "bottom"] = `${Math.max(0, Math.min(70, (up > 0.5 ? 1 - up : up) * 100))}%`;
    keepInside(chart);
    if (isSaid) chart.status.textContent = `${said.join(", ")}.`;
  }

  // On a narrow page the words may need more than the room beside the crosshair.
  function keepInside({ tip, plot }) {
    const box = tip.getBoundingClientRect(), edge = plot.closest(".vk-figure").getBoundingClientRect();
    if (box.left >= edge.left && box.right <= edge.right) return;
    tip.style.right = "auto";
    tip.style.left = `${Math.max(0, plot.clientWidth - box.width)}px`;
  }

  function hide(chart) {
    chart.over.replaceChildren();
    chart.chosen = null;
  }

  function step(chart, key) {
    const shown = chart.series.map((each, n) => (each.shown && each.x.length ? n : -1)).filter((n) => n >= 0);
    if (!shown.length) return null;
    if (!chart.chosen || !shown.includes(chart.chosen[0])) return [shown[0], 0];
    const [active, index] = chart.chosen, { x } = chart.series[active], last = x.length - 1;
    const stride = Math.max(1, Math.round(last / 100));
    const by = { ArrowRight: stride, ArrowLeft: -stride, PageUp: -10 * stride, PageDown: 10 * stride, Home: -Infinity, End: Infinity }[key];
    if (by !== undefined) return [active, Math.max(0, Math.min(last, index + by))];
    const at = shown.indexOf(active) + { ArrowDown: 1, ArrowUp: -1 }[key];
    const next = shown[(at + shown.length) % shown.length];
    return next === active ? chart.chosen : [next, nearest(chart.series[next].x, x[index])];
  }

  function listen(chart) {
    const { plot } = chart;
    const follow = (event) => {
      const box = plot.getBoundingClientRect();
      const chosen = pick(chart, (event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height);
      if (chosen) show(chart, chosen, false);
    };
    plot.addEventListener("pointermove", follow);
    plot.addEventListener("pointerdown", follow);
    plot.addEventListener("pointerleave", () => { if (document.activeElement !== plot) hide(chart); });
    plot.addEventListener("blur", () => hide(chart));
    plot.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { hide(chart); return; }
      if (!/^(Arrow(Left|Right|Up|Down)|Page(Up|Down)|Home|End)$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const chosen = step(chart, event.key);
      if (chosen) show(chart, chosen, true);
    });
  }

  function legend(chart) {
    chart.figure.querySelectorAll(".vk-legend [data-series]").forEach((item) => {
      const each = chart.series[item.dataset.series], button = element("button");
      const group = chart.figure.querySelector(`g[data-series="${item.dataset.series}"]`);
      button.type = "button";
      button.append(...item.childNodes);
      item.append(button);
      const set = (isShown) => {
        each.shown = isShown;
        button.setAttribute("aria-pressed", String(isShown));
        group.style.display = isShown ? "" : "none";
        chart.figure.querySelectorAll(`.vk-mark[data-series="${item.dataset.series}"]`).forEach((mark) => { mark.hidden = !isShown; });
      };
      set(each.shown);
      button.addEventListener("click", () => { set(!each.shown); hide(chart); });
      // The other curves step back while a name is pointed at.
      for (const [name, isQuiet] of [["pointerenter", true], ["pointerleave", false]])
        button.addEventListener(name, () => chart.figure.querySelectorAll("g[data-series]").forEach((other) => other.classList.toggle("vk-quiet", isQuiet && other !== group)));
    });
  }

  function tools(root, charts, { smoothing, hasLog }) {
    const bar = element("div", "vk-tools");
    const all = (change) => charts.forEach((chart) => { change(chart); hide(chart); redraw(chart); });
    if (smoothing !== null) {
      const label = element("label", "", "Smoothing"), range = element("input"), shown = element("output", "", smoothing.toFixed(2));
      Object.assign(range, { type: "range", min: 0, max: 0.99, step: 0.01, value: smoothing });
      label.append(range, shown);
      range.addEventListener("input", () => {
        shown.textContent = Number(range.value).toFixed(2);
        all((chart) => { chart.weight = Number(range.value); });
      });
      bar.append(label);
    }
    if (hasLog && charts.some((chart) => chart.log)) {
      const label = element("label"), box = element("input");
      box.type = "checkbox";
      label.append(box, "Logarithmic scale");
      box.addEventListener("change", () => all((chart) => { chart.scale = box.checked && chart.log ? chart.log : chart.y; }));
      bar.append(label);
    }
    if (bar.children.length) root.prepend(bar);
  }

  function mount(root) {
    if (root.dataset.mounted) return;
    root.dataset.mounted = "true";
    const data = JSON.parse(root.querySelector(':scope > script[type="application/json"]').textContent);
    const figures = root.querySelectorAll(":scope > .vk-charts > .vk-figure");
    const charts = data.charts.map((each, n) => {
      const figure = figures[n], plot = figure.querySelector(".vk-plot");
      const chart = { ...each, figure, plot, scale: each.y, weight: data.smoothing ?? 0, chosen: null };
      chart.series.forEach((one) => { one.drawn = chart.weight > 0 ? smooth(one.y, chart.weight) : one.y; });
      chart.over = element("div");
      chart.cross = element("div", "vk-cross");
      chart.tip = element("div", "vk-tip");
      chart.over.setAttribute("aria-hidden", "true");
      chart.status = element("p", "vk-hidden");
      chart.status.setAttribute("role", "status");
      const hint = element("p", "vk-hidden", "Left and right arrow keys, Page Up and Down, Home and End move along a curve, up and down change the curve.");
      hint.id = `vk-hint-${ids += 1}`;
      plot.append(chart.over);
      figure.append(chart.status, hint);
      plot.tabIndex = 0;
      plot.setAttribute("role", "application");
      plot.setAttribute("aria-roledescription", "chart");
      plot.setAttribute("aria-describedby", hint.id);
      legend(chart);
      listen(chart);
      return chart;
    });
    tools(root, charts, data);
  }

  const start = () => document.querySelectorAll('[data-vizkit="chart"]').forEach(mount);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
