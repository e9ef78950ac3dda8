// The charts of statistics: histograms, tenths and most frequent values of a feature, of several data sets over each other.
vizkit.statistics = (() => {
  const { shape, whole, number, percent, clip, colour } = vizkit;
  const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
  const WIDTH = 340, MAX_BARS = 8;

  function short(value) {
    if (typeof value !== "number") return value ?? "–";
    const size = Math.abs(value);
    return size >= 1e15 ? value.toExponential(2) : size >= 1e4 ? compact.format(value) : size !== 0 && size < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
  }
  const finite = (bucket) => typeof bucket[0] === "number" && typeof bucket[1] === "number";

  function scaled(state, value, total) { return state.percent ? (total ? value / total : 0) : value; }
  function height(state, value, most) {
    if (!most || value <= 0) return 0;
    if (!state.log) return value / most;
    // Shares lie below 1, so the scale begins at a ten-thousandth of the highest.
    const low = state.percent ? most / 1e4 : Math.min(1, most / 10);
    return Math.max(0, Math.log(Math.max(value, low) / low) / Math.log(most / low)) || 0.01;
  }

  function frame(feature, tall, words) {
    const title = shape("title"); title.textContent = words;
    return shape("svg", { viewBox: `0 0 ${WIDTH} ${tall}`, role: "img", "aria-label": words }, title);
  }
  function label(x, y, text, anchor = "start", kind = null) {
    const made = shape("text", { x, y, "text-anchor": anchor, class: kind });
    made.textContent = text;
    return made;
  }
  function words(data, feature) {
    return data.datasets.map((set, at) => {
      const own = feature.sets[at];
      if (!own) return `${set.name}: not there`;
      const about = feature.kind === "number" ? `from ${number(own.min)} to ${number(own.max)}, median ${number(own.median)}` : `${number(own.unique)} different values`;
      return `${set.name}: ${about}`;
    }).join("; ");
  }

  function drawHistogram(data, feature, state) {
    const sets = feature.sets.map((own) => (own?.standard ?? []).filter(finite));
    const ends = sets.flat().flatMap(([low, high]) => [low, high]);
    const svg = frame(feature, 132, `Histogram of ${feature.name}. ${words(data, feature)}`);
    if (!ends.length) { svg.append(label(0, 60, "No number to draw.")); return svg; }
    let low = Math.min(...ends), high = Math.max(...ends);
    const point = low === high;
    if (point) { low -= 0.5; high += 0.5; }
    const totals = sets.map((buckets) => buckets.reduce((sum, bucket) => sum + bucket[2], 0));
    const most = Math.max(...sets.flatMap((buckets, at) => buckets.map((bucket) => scaled(state, bucket[2], totals[at]))));
    const left = 44, wide = WIDTH - left - 6, top = 8, tall = 100;
    const x = (value) => left + (value - low) / (high - low) * wide;
    for (const share of [0, 0.5, 1]) {
      const y = top + tall - share * tall;
      svg.append(shape("line", { class: "st-axis", x1: left, x2: left + wide, y1: y, y2: y }));
      if (share === 0 || share === 1 || !state.log) svg.append(label(left - 6, y + 4, share === 0 && state.log ? "" : state.percent ? percent(share * most, 1).replace(".0 ", " ") : short(share * most), "end"));
    }
    const several = sets.filter((buckets) => buckets.length).length > 1;
    sets.forEach((buckets, at) => {
      for (const [from, to, count] of buckets) {
        const share = height(state, scaled(state, count, totals[at]), most) * tall;
        if (share <= 0) continue;
        const start = point ? x(from - 0.05) : x(from), end = point ? x(to + 0.05) : x(to);
        svg.append(shape("rect", { x: start + 0.5, y: top + tall - share, width: Math.max(1, end - start - 1), height: share, fill: colour(at), "fill-opacity": several ? 0.45 : 0.8, stroke: several ? colour(at) : null }));
      }
    });
    const edges = point ? [(low + high) / 2] : [low, (low + high) / 2, high];
    edges.forEach((edge, at) => svg.append(label(x(edge), top + tall + 15, short(edge), point ? "middle" : ["start", "middle", "end"][at])));
    return svg;
  }

  function drawQuantiles(data, feature, state) {
    const sets = feature.sets.map((own) => (own?.quantiles ?? []).filter(finite));
    const ends = sets.flat().flatMap(([low, high]) => [low, high]);
    const lane = 30, tall = 12 + lane * sets.length;
    const svg = frame(feature, tall + 22, `Tenths of the values of ${feature.name}. ${words(data, feature)}`);
    if (!ends.length) { svg.append(label(0, 24, "No number to draw.")); return svg; }
    const low = Math.min(...ends), high = Math.max(...ends), left = 4, wide = WIDTH - 10;
    const x = (value) => left + (high === low ? 0.5 : (value - low) / (high - low)) * wide;
    sets.forEach((buckets, at) => {
      const y = 8 + lane * at;
      buckets.forEach(([from, to], index) => svg.append(shape("rect", {
        x: x(from), y, width: Math.max(0.5, x(to) - x(from)), height: lane - 10,
        fill: colour(at), "fill-opacity": index % 2 ? 0.35 : 0.7, stroke: "var(--page)", "stroke-width": 0.5,
      })));
      const median = feature.sets[at]?.median;
      if (typeof median === "number" && buckets.length) svg.append(shape("line", { class: "st-median", x1: x(median), x2: x(median), y1: y - 3, y2: y + lane - 7 }));
    });
    svg.append(shape("line", { class: "st-axis", x1: left, x2: left + wide, y1: tall, y2: tall }));
    (low === high ? [low] : [low, (low + high) / 2, high]).forEach((edge, at) => svg.append(label(x(edge), tall + 15, short(edge), low === high ? "middle" : ["start", "middle", "end"][at])));
    return svg;
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

  function drawValues(data, feature, state) {
    const values = ranked(feature), shown = values.slice(0, MAX_BARS);
    const bar = data.datasets.length > 2 ? 5 : data.datasets.length > 1 ? 7 : 11, row = Math.max(18, bar * data.datasets.length + 6);
    const unique = Math.max(0, ...feature.sets.map((own) => own?.unique ?? 0)), more = Math.max(unique, values.length) - shown.length;
    const svg = frame(feature, Math.max(24, row * shown.length + (more > 0 ? 18 : 2)), `Most frequent values of ${feature.name}. ${words(data, feature)}`);
    if (!shown.length) { svg.append(label(0, 16, "No values.")); return svg; }
    const totals = feature.sets.map((own) => own?.values ?? 0), left = 112, wide = WIDTH - left - 52;
    const most = Math.max(...shown.flatMap(([, counts]) => counts.map((count, at) => scaled(state, count, totals[at]))));
    shown.forEach(([value, counts], line) => {
      const y = row * line;
      svg.append(label(left - 8, y + row / 2 + 4, value === "" ? "(empty)" : clip(value, 17), "end", "st-label"));
      counts.forEach((count, at) => {
        const length = height(state, scaled(state, count, totals[at]), most) * wide;
        svg.append(shape("rect", { x: left, y: y + (row - bar * counts.length) / 2 + bar * at, width: Math.max(count ? 1 : 0, length), height: bar - 1, fill: colour(at), "fill-opacity": 0.85 }));
      });
      const texts = counts.map((count, at) => state.percent ? percent(count, totals[at]).replace(" %", "%") : short(count));
      const ends = counts.map((count, at) => left + height(state, scaled(state, count, totals[at]), most) * wide);
      if (texts.length === 1) svg.append(label(ends[0] + 5, y + row / 2 + 4, texts[0]));
    });
    if (more > 0) svg.append(label(left, row * shown.length + 13, `and ${whole.format(more)} more`));
    return svg;
  }

  function chart(data, feature, state) {
    if (feature.kind !== "number") return drawValues(data, feature, state);
    return state.kind === "quantiles" ? drawQuantiles(data, feature, state) : drawHistogram(data, feature, state);
  }

  return { chart, ranked };
})();
