// Results in frames: hands over the libraries that they name, tells them the theme, saves the files that they offer, and
// says what the portal kept them from doing.
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
  // Frames that were quicker than this script are asked.
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

  const root = document.documentElement;
  const theme = () => root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

  // A result cannot see the portal's theme: it asks when it begins, and is told again when the theme changes.
  const tellTheme = (target) => target?.postMessage({ vizportalTheme: theme() }, "*");
  addEventListener("message", (event) => {
    if (event.data?.vizportalReady && frameOf(event)) tellTheme(event.source);
  });
  document.addEventListener("load", (event) => { if (event.target.matches?.("iframe[data-themed]")) tellTheme(event.target.contentWindow); }, true);
  const tellAll = () => { for (const frame of frames()) tellTheme(frame.contentWindow); };
  new MutationObserver(tellAll).observe(root, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tellAll);

  // A result tells what the portal kept it from doing. It is a stranger: its words are text, and few.
  const MOST_BLOCKED = 5;
  function blockedBanner(frame) {
    const place = frame.closest(".card-body");
    const template = place?.querySelector("template[data-blocked-banner]");
    if (template && !place.querySelector("[data-blocked]")) frame.before(template.content.cloneNode(true));
    return place?.querySelector("[data-blocked]");
  }
  const BLOCKED_WORDS = {
    load: (address) => `This result tried to load ${address}, which this portal blocks.`,
    download: (name) => `This result offers the download ${name}, which does not work inside the portal. Download the result as HTML and open that.`,
    link: (address) => `This result links to ${address}. Links to other pages do not open from inside a result.`,
  };
  addEventListener("message", (event) => {
    const address = event.data?.vizportalBlocked;
    if (typeof address !== "string") return;
    const frame = [...document.querySelectorAll("iframe[data-result]")].find((each) => each.contentWindow === event.source);
    const banner = frame && blockedBanner(frame);
    if (!banner) return;
    const { vizportalKind: kind } = event.data;
    const sentence = Object.hasOwn(BLOCKED_WORDS, kind) ? BLOCKED_WORDS[kind] : BLOCKED_WORDS.load;
    const line = sentence(address.slice(0, 300));
    const lines = [...banner.querySelectorAll("[data-line]")];
    if (lines.length >= MOST_BLOCKED || lines.some((each) => each.textContent === line)) return;
    const words = document.createElement("p");
    words.dataset.line = "";
    words.textContent = line;
    banner.querySelector("details").before(words);
  });
  // A link within a result scrolls this page, since the frame is as high as the result. Only where somebody just acted.
  addEventListener("message", (event) => {
    const top = Number(event.data?.vizportalScroll);
    const frame = frameOf(event);
    if (!frame || !Number.isFinite(top) || navigator.userActivation?.isActive === false) return;
    scrollTo({ top: scrollY + frame.getBoundingClientRect().top + Math.min(Math.max(0, top), frame.clientHeight) - 8 });
  });
  // In the place of a result that is not as it was saved stands a page of the portal's own that says so: the card, drawn
  // again, then offers to render again. Any result may claim that of itself, so once is enough.
  addEventListener("message", (event) => {
    if (event.data?.vizportalDamaged !== true) return;
    const frame = [...document.querySelectorAll("iframe[data-card]")].find((each) => each.contentWindow === event.source);
    const card = frame?.closest("article");
    if (!card || "redrawn" in frame.dataset) return;
    frame.dataset.redrawn = "";
    htmx.ajax("GET", frame.dataset.card, { target: card, swap: "outerHTML" });
  });

  function askBlocked() {
    for (const frame of document.querySelectorAll("iframe[data-result]")) frame.contentWindow?.postMessage({ vizportalAsk: "blocked" }, "*");
  }

  document.addEventListener("htmx:afterSettle", askBlocked);
  tellAll();
  askBlocked();
})();
