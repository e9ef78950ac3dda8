// Reading exact values off a figure, by pointer and by arrow keys. Data becomes text, never markup.
vizkit.points = (() => {
  const { node } = vizkit;
  const exact = new Intl.NumberFormat("en", { maximumSignificantDigits: 7 });

  function say(value, kind) {
    if (value === null || value === undefined) return kind === "threshold" ? "∞" : "–";
    if (typeof value !== "number") return kind === "date" ? String(value).replace("T", " ").replace("Z", "") : String(value);
    if (kind === "percent") return `${exact.format(value * 100)}%`;
    const size = Math.abs(value);
    return size !== 0 && (size < 1e-4 || size >= 1e15) ? value.toExponential(4) : exact.format(value);
  }

  // What a drawn figure is read by: its rows by curve, and where each row stands.
  function reading({ view, meta, rows }) {
    const x = meta.x ?? "x", y = meta.y ?? "y", series = meta.series ?? "series";
    const place = (channel, value, kind) => {
      const scale = view.scale(channel), at = scale(kind === "date" ? new Date(value) : value);
      return at + (scale.bandwidth ? scale.bandwidth() / 2 : 0);
    };
    const kindOf = Object.fromEntries(meta.fields.map((each) => [each.field, each.kind]));
    const across = (row) => meta.x2 ? (place("x", row[x]) + place("x", row[meta.x2])) / 2 : place("x", row[x], kindOf[x]);
    // Marks of several series in one band stand beside each other.
    const aside = (row) => { const scale = view.scale("yOffset"); return view.scale("y")(row[y]) + scale(row[meta.offset]) + scale.bandwidth() / 2; };
    const up = meta.offset ? aside : (row) => place("y", row.smoothed ?? row[y], kindOf[y]);
    const groups = new Map();
    // Of bars those that are drawn, in their order.
    const bars = meta.near === "bar" ? new Map(view.scale("y").domain().map((name, at) => [name, at])) : null;
    const seen = bars ? rows.filter((row) => bars.has(row[y])).sort((a, b) => bars.get(a[y]) - bars.get(b[y])) : rows;
    for (const row of seen) { const name = row[series] ?? ""; if (!groups.has(name)) groups.set(name, []); groups.get(name).push(row); }
    // What the legend or a control took away cannot be read.
    const shown = () => {
      let chosen = [];
      try { chosen = view.data("curve_store").map((each) => each.values[0]); } catch { /* it has no legend */ }
      return [...groups].filter(([name]) => !chosen.length || chosen.includes(name));
    };
    return { x, y, series, across, up, shown, kindOf, fields: meta.fields };
  }

  // Where the drawing's own coordinates begin.
  function origin(view) {
    const [x, y] = view.origin(), { left, top } = view.padding();
    return [x + left, y + top];
  }

  // Of several equally near the last: a curve that rises straight up ends there.
  const nearest = (rows, far) => rows.reduce((best, row) => { const distance = far(row); return distance <= best[1] ? [row, distance] : best; }, [null, Infinity]);

  function pick(own, near, left, top) {
    const far = near === "point" || near === "cell" ? (row) => (own.across(row) - left) ** 2 + (own.up(row) - top) ** 2
      : near === "bar" ? (row) => Math.abs(own.up(row) - top)
        : (row) => Math.abs(own.across(row) - left) * 1e4 + Math.abs(own.up(row) - top);
    return nearest(own.shown().flatMap(([, rows]) => rows), far)[0];
  }

  // Rows that belong to what is chosen, the chosen one first: of other curves those at the same place.
  function together(own, near, row) {
    if (near === "point" || near === "cell") return [row];
    const key = near === "bar" ? own.y : own.x, far = near === "bar" ? own.up : own.across;
    return own.shown().map(([, rows]) => rows.includes(row) ? row : rows.find((each) => each[key] === row[key]) ?? (near === "x" ? nearest(rows, (each) => Math.abs(far(each) - far(row)))[0] : null)).filter(Boolean);
  }

  function step(own, near, row, key) {
    const groups = own.shown();
    if (!groups.length) return null;
    if (!row || !groups.some(([, rows]) => rows.includes(row))) return groups[0][1][0];
    if (near === "cell") {
      const all = groups.flatMap(([, rows]) => rows), by = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
      if (!by) return key === "Home" ? all[0] : key === "End" ? all.at(-1) : row;
      const dx = by[0], dy = by[1], left = own.across(row), top = own.up(row);
      const ahead = all.filter((each) => (dx ? Math.sign(own.across(each) - left) === dx && Math.abs(own.up(each) - top) < 0.5 : Math.sign(own.up(each) - top) === dy && Math.abs(own.across(each) - left) < 0.5));
      return nearest(ahead, (each) => Math.abs(own.across(each) - left) + Math.abs(own.up(each) - top))[0] ?? row;
    }
    const at = groups.findIndex(([, rows]) => rows.includes(row)), rows = groups[at][1], last = rows.length - 1;
    const [onward, aside] = near === "bar" ? [["ArrowDown", "ArrowUp"], ["ArrowRight", "ArrowLeft"]] : [["ArrowRight", "ArrowLeft"], ["ArrowDown", "ArrowUp"]];
    const stride = near === "bar" ? 1 : Math.max(1, Math.round(last / 100));
    const by = { [onward[0]]: stride, [onward[1]]: -stride, PageUp: -10 * stride, PageDown: 10 * stride, Home: -Infinity, End: Infinity }[key];
    if (by !== undefined) return rows[Math.max(0, Math.min(last, rows.indexOf(row) + by))];
    const other = groups[(at + { [aside[0]]: 1, [aside[1]]: -1 }[key] + groups.length) % groups.length][1];
    return nearest(other, (each) => Math.abs(own.across(each) - own.across(row)) + (near === "bar" ? Math.abs(own.up(each) - own.up(row)) : 0))[0];
  }

  // The lines of the box: shared fields once, then each curve with its value, then what else is known of the chosen.
  function lines(own, near, rows, row) {
    const of = (field, each) => say(each[field], own.kindOf[field]);
    const title = (field) => own.fields.find((each) => each.field === field)?.title ?? field;
    const named = own.fields.some((each) => each.field === own.series);
    const shared = near === "bar" ? own.y : own.x, value = near === "bar" ? own.x : own.y;
    if (near === "point" || near === "cell" || !named) return own.fields.map((each) => [each.title, of(each.field, row), false]);
    const place = rows.indexOf(row), kept = rows.length > 14 ? rows.slice(Math.max(0, place - 6), place + 7) : rows;
    const made = [[title(shared), of(shared, row), false], ...kept.map((each) => [each[own.series], of(value, each), rows.length > 1 && each === row])];
    return [...made, ...own.fields.filter(({ field }) => ![shared, value, own.series].includes(field)).map((each) => [each.title, of(each.field, row), false])];
  }

  function attach(plot, status, get) {
    let row = null, over = null;
    const hide = () => { over?.remove(); over = row = null; };
    function show(chosen, isSaid) {
      const drawn = get(), own = reading(drawn), { near } = drawn.meta, rows = together(own, near, chosen);
      over?.remove();
      row = chosen;
      const [ox, oy] = origin(drawn.view), left = ox + own.across(row), top = oy + own.up(row);
      const said = lines(own, near, rows, row);
      const tip = node("div", { class: "vk-tip" }, ...said.map(([name, value, isChosen]) => node("div", { class: isChosen ? "vk-chosen" : null }, node("span", {}, name), node("span", {}, value))));
      const dots = rows.map((each) => { const dot = node("i", { class: "vk-dot" }); dot.style.left = `${ox + own.across(each)}px`; dot.style.top = `${oy + own.up(each)}px`; return dot; });
      over = node("div", { class: "vk-over", "aria-hidden": "true" }, ...dots, tip);
      plot.append(over);
      const wide = plot.clientWidth, tall = plot.clientHeight, box = tip.getBoundingClientRect();
      // A tall chart scrolls: what is chosen by keyboard comes into view.
      if (isSaid && (top < plot.scrollTop || top > plot.scrollTop + tall)) plot.scrollTop = top - tall / 2;
      const { scrollTop } = plot;
      tip.style.left = `${Math.max(0, Math.min(wide - box.width, left > wide / 2 ? left - box.width - 14 : left + 14))}px`;
      tip.style.top = `${Math.max(scrollTop, Math.min(scrollTop + tall - box.height, top - scrollTop > tall / 2 ? top - box.height - 10 : top + 10))}px`;
      if (isSaid) status.textContent = `${said.map(([name, value]) => `${name} ${value}`).join(", ")}.`;
    }
    const follow = (event) => {
      const drawn = get();
      if (!drawn || event.buttons) { hide(); return; }
      const box = plot.getBoundingClientRect(), [ox, oy] = origin(drawn.view);
      const left = event.clientX - box.left + plot.scrollLeft - ox, top = event.clientY - box.top + plot.scrollTop - oy;
      if (left < -8 || top < -8 || left > drawn.view.width() + 8 || top > drawn.view.height() + 8) { hide(); return; }
      const found = pick(reading(drawn), drawn.meta.near, left, top);
      if (found) show(found, false);
    };
    plot.addEventListener("pointermove", follow);
    plot.addEventListener("pointerup", follow);
    plot.addEventListener("wheel", hide, { passive: true });
    plot.addEventListener("pointerleave", () => { if (document.activeElement !== plot) hide(); });
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { hide(); return; }
      if (event.target !== plot || !/^(Arrow(Left|Right|Up|Down)|Page(Up|Down)|Home|End)$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const drawn = get(), found = drawn && step(reading(drawn), drawn.meta.near, row, event.key);
      if (found) show(found, true);
    });
    return hide;
  }

  return { attach, say };
})();
