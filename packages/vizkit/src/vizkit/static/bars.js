// Makes bars one table that is sorted and filtered, with a button for all of them.
(() => {
  const element = (name, text = "") => {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  };

  function mount(root) {
    if (root.dataset.mounted) return;
    root.dataset.mounted = "true";
    const { first } = JSON.parse(root.querySelector(':scope > script[type="application/json"]').textContent);
    const table = root.querySelector(".vk-bartable"), body = table.tBodies[0], rest = root.querySelector(".vk-rest");
    const rows = [...root.querySelectorAll("tbody tr")].map((row, place) => ({
      row, place, value: Number(row.dataset.value), name: row.cells[0].textContent,
    }));
    rest?.remove();
    if (rows.length < 3) return;
    const orders = {
      "as given": (a, b) => a.place - b.place,
      "greatest first": (a, b) => b.value - a.value,
      "least first": (a, b) => a.value - b.value,
      "farthest from zero first": (a, b) => Math.abs(b.value) - Math.abs(a.value),
      "by name": (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
    };
    const bar = element("div"), sort = element("select"), search = element("input"), all = element("button"), status = element("span");
    bar.className = "vk-bars-tools";
    sort.append(...Object.keys(orders).map((name) => element("option", name)));
    const label = element("label", "Order");
    label.append(sort);
    search.type = "search";
    search.placeholder = "Search names";
    search.setAttribute("aria-label", "Search names");
    status.setAttribute("role", "status");
    all.type = "button";
    let isWhole = false;

    function draw() {
      const wanted = search.value.trim().toLowerCase();
      const found = rows.filter(({ name }) => name.toLowerCase().includes(wanted)).sort(orders[sort.value]);
      const shown = isWhole ? found : found.slice(0, first);
      body.replaceChildren(...shown.map(({ row }) => row));
      status.textContent = shown.length < rows.length ? `${shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")}` : "";
      all.textContent = isWhole ? `Show the first ${first}` : `Show all ${found.length.toLocaleString("en")}`;
      all.hidden = found.length <= first;
    }

    sort.addEventListener("change", draw);
    search.addEventListener("input", draw);
    all.addEventListener("click", () => { isWhole = !isWhole; draw(); });
    bar.append(label, search, status);
    table.before(bar);
    table.after(all);
    draw();
  }

  const start = () => document.querySelectorAll('[data-vizkit="bars"]').forEach(mount);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
