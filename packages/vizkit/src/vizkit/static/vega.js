// A chart of Vega or Vega-Lite in the page's own colours, drawn again when the theme changes. It loads nothing.
(() => {
  const mount = (root) => {
    const holder = root.querySelector(":scope > script[type='application/json']");
    if (!holder || root.dataset.mounted) return;
    root.dataset.mounted = "yes";
    const { spec, mode } = JSON.parse(holder.textContent);
    holder.remove();
    const place = root.querySelector(".vk-vega-chart"), said = root.querySelector(".vk-vega-said");
    // Resolves light-dark() to the colour that is in force.
    const colour = (name) => { root.style.color = `var(${name})`; const found = getComputedStyle(root).color; root.style.color = ""; return found; };
    const config = () => {
      const text = colour("--text"), muted = colour("--muted"), line = colour("--line"), font = getComputedStyle(document.body).fontFamily;
      const range = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => colour(`--vk-${number}`));
      const mark = { color: range[0] };
      return {
        background: "transparent", font,
        title: { color: text, subtitleColor: muted },
        axis: { labelColor: text, titleColor: text, domainColor: muted, tickColor: muted, gridColor: line },
        header: { labelColor: text, titleColor: text },
        legend: { labelColor: text, titleColor: text },
        view: { stroke: line },
        range: { category: range },
        style: { "guide-label": { font, fill: text }, "guide-title": { font, fill: text }, cell: { stroke: line } },
        arc: mark, area: mark, bar: mark, circle: mark, line: mark, point: mark, rect: mark, square: mark, tick: mark, trail: mark,
        rule: { color: muted }, text: { color: text }, mark,
      };
    };
    // Of what a specification says itself nothing is changed, but its ground, which is made for one theme only.
    const refuse = () => Promise.reject(new Error("a result loads nothing"));
    const loader = { load: refuse, http: refuse, file: refuse, sanitize: (address) => (String(address).startsWith("data:") ? Promise.resolve({ href: address }) : refuse()) };
    let latest = 0;
    const draw = async () => {
      const turn = ++latest;
      try {
        const { usermeta: _, ...shown } = spec;
        const view = document.createElement("div");
        await vegaEmbed(view, structuredClone(shown), { mode, config: config(), actions: false, loader, renderer: "canvas", tooltip: { theme: "dark" } });
        if (turn !== latest) return;
        // What it shows is said beside it; the drawing itself is a picture.
        view.querySelectorAll("canvas, svg").forEach((each) => { each.setAttribute("role", "img"); each.setAttribute("aria-label", place.getAttribute("aria-label")); });
        place.replaceChildren(view);
        said.hidden = true;
      } catch (error) {
        place.replaceChildren();
        place.removeAttribute("tabindex");
        said.hidden = false;
        said.className = "error";
        said.textContent = `The specification cannot be drawn: ${error.message}`;
      }
    };
    draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  };
  const start = () => document.querySelectorAll("[data-vizkit=vega]").forEach(mount);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start, { once: true });
  else start();
})();
