// Taking a figure along: as PNG, SVG, CSV, or as the specification. In a frame of the portal the page around it saves.
vizkit.exporting = (() => {
  const { node } = vizkit;
  const TYPES = { png: "image/png", svg: "image/svg+xml", csv: "text/csv", json: "application/json" };

  async function save(name, kind, content) {
    if (parent !== window) {
      const bytes = await new Blob([content]).arrayBuffer();
      parent.postMessage({ vizportalSave: { kind, bytes } }, "*", [bytes]);
      return;
    }
    const link = node("a", { download: `${name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 80) || "chart"}.${kind}`, href: URL.createObjectURL(new Blob([content], { type: TYPES[kind] })) });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  function csv(fields, rows) {
    const cell = (value) => { const text = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value); return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text; };
    return [fields.map(({ title }) => cell(title)), ...rows.map((row) => fields.map(({ field }) => cell(row[field])))].map((line) => line.join(",")).join("\r\n") + "\r\n";
  }

  // `of` gives the figure's name, specification, fields, rows, and a view in the light theme, when they are asked for.
  function menu(of, more) {
    const act = (text, run) => {
      const button = node("button", { type: "button" }, text);
      button.addEventListener("click", async () => { details.open = false; summary.focus(); await run(); });
      return button;
    };
    const summary = node("summary", { "aria-label": "Save or change this chart", title: "Save or change this chart" }, "⋯");
    const details = node("details", { class: "vk-menu" }, summary, node("div", {},
      act("Save as PNG", async () => { const canvas = await (await of.view()).toCanvas(2); await save(of.name, "png", await new Promise((done) => { canvas.toBlob(done, "image/png"); })); }),
      act("Save as SVG", async () => save(of.name, "svg", await (await of.view()).toSVG())),
      act("Save data as CSV", () => { const { fields, rows } = of.table(); return save(of.name, "csv", csv(fields, rows)); }),
      act("Save specification", () => save(of.name, "json", JSON.stringify(of.spec, null, 1))),
      ...more.map(([text, run]) => act(text, run))));
    details.addEventListener("keydown", (event) => { if (event.key === "Escape" && details.open) { details.open = false; summary.focus(); } });
    document.addEventListener("pointerdown", (event) => { if (!details.contains(event.target)) details.open = false; });
    return details;
  }

  return { menu };
})();
