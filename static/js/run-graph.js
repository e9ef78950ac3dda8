// The run page: arrow keys move between steps, the panel opens beside the graph and closes again.
(() => {
  const split = document.querySelector("[data-split]");
  const panel = document.getElementById("step-panel");
  if (!split || !panel) return;

  const nodes = () => [...document.querySelectorAll("#run-live [data-node]")];
  const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  function mark(stepId) {
    for (const node of nodes()) {
      const isSelected = stepId !== null && node.id === `node-${stepId}`;
      if (isSelected) node.setAttribute("aria-current", "true");
      else node.removeAttribute("aria-current");
      node.closest("tr")?.setAttribute("aria-selected", String(isSelected));
    }
  }

  function show(isOpen) {
    panel.hidden = !isOpen;
    split.classList.toggle("split", isOpen);
  }

  // The nearest node that lies in the direction of the key; sideways distance counts double.
  function neighbour(node, [dx, dy]) {
    const centre = (each) => {
      const box = each.getBoundingClientRect();
      return [box.x + box.width / 2, box.y + Math.min(box.height, 46) / 2];
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
    history.pushState({}, "", close.href);
    show(false);
    mark(null);
    panel.replaceChildren();
    document.getElementById(`node-${stepId}`)?.focus();
  });

  // The panel was asked for from the graph: show it at once, so that loading is seen where the answer appears.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const node = event.target.closest?.("[data-node]");
    if (!node) return;
    show(true);
    mark(node.id.replace(/^node-/, ""));
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const opened = panel.querySelector("[data-panel]")?.dataset.step ?? null;
    if (event.target === panel && !panel.hidden && matchMedia("(max-width: 64rem)").matches) panel.scrollIntoView();
    if (event.target === panel || event.detail.target?.id === "run-live") mark(panel.hidden ? null : opened);
  });

  const selected = document.querySelector("[data-node][aria-current]");
  selected?.scrollIntoView({ block: "nearest", inline: "nearest" });
})();
