// The run page: arrow keys move between steps, the panel opens beside the graph and closes again.
(() => {
  const split = document.querySelector("[data-split]");
  const panel = document.getElementById("step-panel");
  if (!split || !panel) return;

  const nodes = () => [...document.querySelectorAll("#run-live [data-node]")];
  // The artifact in the panel that was asked for, until it is there.
  let anchor = "";
  const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  function mark(stepId) {
    for (const node of nodes()) {
      const isSelected = stepId !== null && node.id === `node-${stepId}`;
      if (isSelected) node.setAttribute("aria-current", "true");
      else node.removeAttribute("aria-current");
      node.closest("tr")?.setAttribute("aria-selected", String(isSelected));
    }
  }

  // What is open in the graph stays in the address when a step's panel opens, turns a tab or closes.
  const LOOK = ["view", "frames", "open", "close", "iteration", "artifacts", "draw"];

  function withLook(address) {
    const url = new URL(address, location.href);
    const here = new URLSearchParams(location.search);
    for (const name of LOOK) {
      if (here.has(name) && !url.searchParams.has(name)) url.searchParams.set(name, here.get(name));
    }
    return `${url.pathname}${url.search.replaceAll("%2C", ",").replaceAll("%3A", ":")}${url.hash}`;
  }

  function show(isOpen) {
    panel.hidden = !isOpen;
    split.classList.toggle("split", isOpen);
    document.dispatchEvent(new Event("vizportal:needs"));
  }

  // The nearest node that lies in the direction of the key; sideways distance counts double.
  function neighbour(node, [dx, dy]) {
    const centre = (each) => {
      const box = each.getBoundingClientRect();
      // A frame is as high as what is in it: its name stands at its top.
      return [box.x + box.width / 2, box.y + Math.min(box.height, 48) / 2];
    };
    const [x, y] = centre(node);
    let best = null;
    let least = Infinity;
    for (const other of nodes()) {
      const [ox, oy] = centre(other);
      const along = (ox - x) * dx + (oy - y) * dy;
      const aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      if (other === node || along <= 4) continue;
      if (along + 2 * aside < least) {
        least = along + 2 * aside;
        best = other;
      }
    }
    return best;
  }

  document.addEventListener("keydown", (event) => {
    const node = event.target.closest("[data-graph] [data-node]");
    if (node && DIRECTIONS[event.key]) {
      event.preventDefault();
      neighbour(node, DIRECTIONS[event.key])?.focus();
    }
    if (event.key === "Escape" && !panel.hidden && !document.querySelector("dialog[open]")
        && !event.target.closest("input, textarea, select, .editor")) {
      panel.querySelector("[data-panel-close]")?.click();
    }
  });

  panel.addEventListener("click", (event) => {
    const close = event.target.closest("[data-panel-close]");
    if (!close || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const stepId = panel.querySelector("[data-panel]")?.dataset.step;
    history.pushState({}, "", withLook(close.href));
    show(false);
    mark(null);
    panel.replaceChildren();
    document.getElementById(`node-${stepId}`)?.focus();
  });

  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, path } = event.detail;
    const tab = new URLSearchParams(location.search).get("tab");
    if (path.startsWith("?") && tab && !panel.hidden) event.detail.path = `${path}&tab=${encodeURIComponent(tab)}`;
    if (elt.closest?.("#step-panel") && elt.hasAttribute("hx-push-url") && path.includes("/steps/")) event.detail.path = withLook(path);
  });

  // A new tab is the browser's own business; htmx would open the panel here as well.
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-graph] a, #run-live table a")) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey) event.stopPropagation();
  }, { capture: true });

  // The panel was asked for from the graph: show it at once, so that loading is seen where the answer appears.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const node = event.target.closest?.("[data-node], [data-panel-anchor]");
    if (!node) return;
    show(true);
    anchor = node.dataset.panelAnchor ?? "";
    if (node.matches("[data-node]")) mark(node.id.replace(/^node-/, ""));
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const opened = panel.querySelector("[data-panel]")?.dataset.step ?? null;
    if (event.target === panel && !panel.hidden && matchMedia("(max-width: 64rem)").matches) panel.scrollIntoView();
    if (event.target === panel && anchor) {
      document.getElementById(anchor)?.scrollIntoView({ block: "nearest" });
      anchor = "";
    }
    if (event.target === panel || event.detail.target?.id === "run-live") mark(panel.hidden ? null : opened);
  });
})();
