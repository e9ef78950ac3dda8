// Results in frames: hands over the libraries that they name, and saves the files that they offer.
(() => {
  const { origin } = document.currentScript.dataset;
  const LIBRARY = /^\/assets\/[0-9a-f]{64}\.(js|css)$/;
  const MOST_LIBRARIES = 60;
  const KINDS = new Set(["png", "svg", "csv", "json"]);
  const MOST_BYTES = 64 * 1024 * 1024;
  const frames = () => [...document.querySelectorAll("iframe[data-themed]")];
  const frameOf = (event) => frames().find((each) => each.contentWindow === event.source);

  // A frame forgets what it loaded; this page's cache does not. Their addresses name their content.
  const libraries = new Map();
  function library(name) {
    if (!libraries.has(name)) {
      const loaded = fetch(origin + name, { credentials: "omit" }).then((answer) => (answer.ok ? answer.blob() : null), () => null);
      libraries.set(name, loaded);
      // The frame then loads it itself; the next one may find it here.
      loaded.then((file) => { if (!file) libraries.delete(name); });
    }
    return libraries.get(name);
  }
  // A result is a stranger: it gets only what anybody may have.
  addEventListener("message", async (event) => {
    const names = event.data?.vizportalLibraries;
    if (!Array.isArray(names) || !frameOf(event)) return;
    const wanted = names.filter((name) => typeof name === "string" && LIBRARY.test(name)).slice(0, MOST_LIBRARIES);
    const files = await Promise.all(wanted.map(async (name) => [name, await library(name)]));
    event.source.postMessage({ vizportalGiven: files.filter(([, file]) => file) }, "*");
  });
  // A frame may have been quicker than this script.
  for (const frame of frames()) frame.contentWindow?.postMessage({ vizportalAsk: "libraries" }, "*");

  // What charts need is here before the render ends.
  function preload() {
    for (const place of document.querySelectorAll("[data-libraries]")) place.dataset.libraries.split(" ").forEach(library);
  }
  document.addEventListener("htmx:afterSettle", preload);
  preload();

  // A sandboxed frame cannot save a file. Its bytes are never looked at; the name and the type are this page's.
  addEventListener("message", (event) => {
    const { kind, bytes } = event.data?.vizportalSave ?? {};
    const frame = frameOf(event);
    if (!frame || document.activeElement !== frame || !KINDS.has(kind)) return;
    if (!(bytes instanceof ArrayBuffer) || bytes.byteLength > MOST_BYTES) return;
    const name = frame.title.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 80);
    const link = document.createElement("a");
    link.download = `${name || "chart"}.${kind}`;
    link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    link.click();
    URL.revokeObjectURL(link.href);
  });
})();
