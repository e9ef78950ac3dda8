// What several components draw with: elements, numbers as words, colours. Data becomes text, never markup.
globalThis.vizkit ??= (() => {
  const whole = new Intl.NumberFormat("en");

  function node(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, value);
    made.append(...children.filter((child) => child !== null));
    return made;
  }
  function choice(text, options, act, chosen) {
    const select = node("select", {}, ...options.map(([value, name]) => node("option", { value, selected: value === chosen ? "" : null }, name)));
    select.addEventListener("change", () => act(select.value));
    return node("label", {}, text, select);
  }

  function number(value) {
    if (value === null || value === undefined) return "–";
    if (typeof value !== "number") return value;
    const size = Math.abs(value);
    if (Number.isInteger(value) && size < 1e15) return whole.format(value);
    if (size >= 1e4 && size < 1e15) return whole.format(Math.round(value));
    return size !== 0 && (size < 1e-4 || size >= 1e15) ? value.toExponential(3) : String(Number(value.toPrecision(4)));
  }
  function percent(part, all) {
    if (!part || !all) return "0 %";
    const share = 100 * part / all;
    return share < 0.01 ? "< 0.01 %" : `${share.toFixed(share < 1 ? 2 : 1)} %`;
  }
  const clip = (text, length) => { const all = Array.from(text); return all.length > length ? all.slice(0, length - 1).join("") + "…" : text; };
  const colour = (at) => `var(--vk-${at + 1})`;

  // Once the page is there: `mount` gets each element of that component, and what it holds, once.
  function start(name, mount) {
    const every = () => document.querySelectorAll(`[data-vizkit="${name}"]`).forEach((root) => {
      const holder = root.querySelector(':scope > script[type="application/json"]');
      if (!holder || root.dataset.ready) return;
      root.dataset.ready = "yes";
      mount(root, JSON.parse(holder.textContent));
    });
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", every); else every();
  }
  return { node, choice, whole, number, percent, clip, colour, start };
})();
