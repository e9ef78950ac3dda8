// Says what stands in a cell of a map of many classes, to the pointer and to arrow keys.
(() => {
  const number = (value) => value.toLocaleString("en", { maximumFractionDigits: 2 });
  const element = (name, classes) => Object.assign(document.createElement(name), { className: classes });

  function mount(root) {
    if (root.dataset.mounted) return;
    root.dataset.mounted = "true";
    const box = root.querySelector(".vk-mapbox"), held = root.querySelector(':scope > script[type="application/json"]');
    if (!box || !held) return;
    const { labels, cells: [rows, columns, values], support } = JSON.parse(held.textContent);
    const n = labels.length, counts = new Map(rows.map((row, at) => [row * n + columns[at], values[at]]));
    const frame = element("div", "vk-at"), note = element("div", "vk-note"), status = element("p", "vk-hidden");
    status.setAttribute("role", "status");
    root.append(status);
    let at = null;

    function show(row, column, isSaid) {
      at = [row, column];
      const count = counts.get(row * n + column) ?? 0, share = support[row] ? count / support[row] : 0;
      const text = `True ${labels[row]}, predicted ${labels[column]}: ${number(count)} rows, ${(share * 100).toFixed(1)}% of ${labels[row]}`;
      note.textContent = text;
      if (isSaid) status.textContent = text;
      box.append(frame, note);
      const side = 100 / n;
      Object.assign(frame.style, { left: `${column * side}%`, top: `${row * side}%`, width: `${side}%`, height: `${side}%` });
      note.style.left = note.style.right = note.style.top = note.style.bottom = "";
      note.style[column > n / 2 ? "right" : "left"] = `calc(${(column > n / 2 ? n - column : column + 1) * side}% + 8px)`;
      note.style[row > n / 2 ? "bottom" : "top"] = `${(row > n / 2 ? n - row - 1 : row) * side}%`;
      const over = note.getBoundingClientRect(), edge = box.getBoundingClientRect();
      if (over.right > edge.right || over.left < edge.left) Object.assign(note.style, { left: "0", right: "auto" });
    }
    const hide = () => { frame.remove(); note.remove(); };

    box.tabIndex = 0;
    box.setAttribute("role", "application");
    box.setAttribute("aria-roledescription", "map of counts, arrow keys move");
    const follow = (event) => {
      const { left, top, width, height } = box.getBoundingClientRect(), place = (value) => Math.max(0, Math.min(n - 1, Math.floor(value * n)));
      show(place((event.clientY - top) / height), place((event.clientX - left) / width), false);
    };
    box.addEventListener("pointermove", follow);
    box.addEventListener("pointerdown", follow);
    box.addEventListener("pointerleave", () => { if (document.activeElement !== box) hide(); });
    box.addEventListener("blur", hide);
    box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { hide(); return; }
      const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [-n, -n], End: [n, n] }[event.key];
      if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const [row, column] = at ? at.map((value, axis) => Math.max(0, Math.min(n - 1, value + by[axis]))) : [0, 0];
      show(row, column, true);
    });
  }

  const start = () => document.querySelectorAll('[data-vizkit="matrix"]').forEach(mount);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
