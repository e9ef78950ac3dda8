// Live states, themes of results, and the Creator's own behaviours. Everything here works without it, less comfortably.
(() => {
  const { events, editorScript } = document.currentScript.dataset;
  const root = document.documentElement;
  const theme = () => root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

  // A result cannot see the portal's theme: it asks when it begins, and is told again when the theme changes.
  const tellTheme = (target) => target?.postMessage({ vizportalTheme: theme() }, "*");
  const frames = () => [...document.querySelectorAll("iframe[data-themed]")];
  addEventListener("message", (event) => {
    if (event.data?.vizportalReady && frames().some((each) => each.contentWindow === event.source)) tellTheme(event.source);
  });
  document.addEventListener("load", (event) => { if (event.target.matches?.("iframe[data-themed]")) tellTheme(event.target.contentWindow); }, true);
  new MutationObserver(() => { for (const frame of frames()) tellTheme(frame.contentWindow); })
    .observe(root, { attributes: true, attributeFilter: ["data-theme"] });

  // A result tells what the portal kept it from loading. It is a stranger: its words are text, and few.
  const MOST_BLOCKED = 5;
  function blockedBanner(frame) {
    const place = frame.closest(".card-body");
    const template = place?.querySelector("template[data-blocked-banner]");
    if (template && !place.querySelector("[data-blocked]")) frame.before(template.content.cloneNode(true));
    return place?.querySelector("[data-blocked]");
  }
  addEventListener("message", (event) => {
    const address = event.data?.vizportalBlocked;
    if (typeof address !== "string") return;
    const frame = [...document.querySelectorAll("iframe[data-result]")].find((each) => each.contentWindow === event.source);
    const banner = frame && blockedBanner(frame);
    if (!banner) return;
    const line = `This result tried to load ${address.slice(0, 300)}, which this portal blocks.`;
    const lines = [...banner.querySelectorAll("[data-line]")];
    if (lines.length >= MOST_BLOCKED || lines.some((each) => each.textContent === line)) return;
    const words = document.createElement("p");
    words.dataset.line = "";
    words.textContent = line;
    banner.querySelector("details").before(words);
  });
  // A frame may have been quicker than this script.
  function askBlocked() {
    for (const frame of document.querySelectorAll("iframe[data-result]")) frame.contentWindow?.postMessage({ vizportalAsk: "blocked" }, "*");
  }

  // One stream a page, and only while something on it can change. Polling (every 3s in the card) covers its absence.
  let stream = null;
  function listen() {
    const isLive = document.querySelector("[data-live]") !== null;
    if (isLive && !stream) {
      stream = new EventSource(events);
      stream.addEventListener("render", (event) => {
        const card = document.querySelector(`[data-live="${CSS.escape(JSON.parse(event.data).id)}"]`);
        if (card) htmx.trigger(card, "vizportal:changed");
      });
    } else if (!isLive && stream) {
      stream.close();
      stream = null;
    }
  }

  function loadEditor(scope = document) {
    if (!scope.querySelector("textarea[data-editor]") || document.querySelector("script[data-editor-bundle]")) return;
    const script = document.createElement("script");
    script.src = editorScript;
    script.dataset.editorBundle = "";
    document.head.append(script);
  }

  // Code that was typed but never sent survives a reload and a closed tab.
  const draftKey = (textarea) => `vizportal-draft:${textarea.dataset.draft}`;
  function restoreDrafts(scope = document) {
    for (const textarea of scope.querySelectorAll("textarea[data-draft]")) {
      const draft = localStorage.getItem(draftKey(textarea));
      const isUntouched = textarea.value === textarea.defaultValue && !new URLSearchParams(location.search).has("from");
      if (draft !== null && isUntouched && !textarea.matches("[aria-invalid]")) textarea.value = draft;
    }
  }

  // A log is followed at its end.
  function followLogs(scope = document) {
    for (const log of scope.querySelectorAll("[data-follow]")) log.scrollTop = log.scrollHeight;
  }

  function settle(scope) {
    followLogs(scope);
    restoreDrafts(scope);
    loadEditor(scope);
    listen();
    askBlocked();
  }

  document.addEventListener("input", (event) => {
    if (event.target.matches("textarea[data-draft]")) localStorage.setItem(draftKey(event.target), event.target.value);
  });
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target.name === "arguments_view") {
      const holder = target.closest("[data-arguments]");
      if (target.value === "json") fillJson(holder);
      holder.dataset.view = target.value;
    }
  });

  // What was set in the fields is what the JSON begins with.
  function fillJson(holder) {
    const text = holder.querySelector("[data-arguments-json] textarea");
    let values;
    try { values = JSON.parse(text.value || "{}"); } catch { return; }
    for (const field of holder.querySelectorAll("[data-arguments-fields] [name]")) {
      const name = field.name.replace(/^arguments-/, "");
      if (field.type === "checkbox") values[name] = field.checked;
      else if (field.value === "") delete values[name];
      else if (field.type === "number") values[name] = Number(field.value);
      else if (field.tagName === "TEXTAREA") values[name] = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
      else values[name] = field.value;
    }
    text.value = JSON.stringify(values, null, 2);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-copy-link]");
    if (link) {
      const region = document.querySelector("[data-announcer]");
      navigator.clipboard?.writeText(new URL(link.dataset.copyLink, location.href).href).then(
        () => { region.textContent = "Link copied"; link.title = "Copied"; },
        () => { region.textContent = "Copying is not allowed here"; },
      );
    }
    const choice = event.target.closest("[data-choose-type]");
    const radio = choice && document.querySelector(`[data-creator-form] [name="type"][value="${CSS.escape(choice.dataset.chooseType)}"]`);
    if (radio) {
      event.preventDefault();
      radio.focus();
      radio.click();
    }
    if (event.target.closest("[data-full-screen]")) document.querySelector(".render")?.requestFullscreen();
  });

  // Previous and next, in the gallery and from one visualization to another.
  const STEPS = { "[": "prev", ArrowLeft: "prev", "]": "next", ArrowRight: "next" };
  document.addEventListener("keydown", (event) => {
    const isPlain = !(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey);
    const isFree = event.target === document.body || event.target.id === "main";
    const isTyping = event.target.closest("input, textarea, select, .editor");
    if (!STEPS[event.key] || !isPlain || isTyping || (event.key.startsWith("Arrow") && !isFree)) return;
    document.querySelector(`main a[rel="${STEPS[event.key]}"]`)?.click();
  });

  // Choosing a type swaps the form: the keyboard stays where it was.
  let focused = null;
  document.addEventListener("htmx:beforeSwap", () => {
    const active = document.activeElement;
    focused = active?.name ? `[name="${CSS.escape(active.name)}"]${active.type === "radio" ? `[value="${CSS.escape(active.value)}"]` : ""}` : null;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    settle(document);
    if (focused && document.activeElement === document.body) document.querySelector(`[data-creator-form] ${focused}`)?.focus();
    if (event.detail.requestConfig?.verb === "post" && event.detail.target?.matches("[data-creator]")) showAnswer(event.detail.target);
  });

  // After Generate: what is wrong with the form, else the new result, which stands below it.
  function showAnswer(holder) {
    const error = holder.querySelector("[data-creator-form] :is(.error, [role=alert])");
    (error ?? holder.querySelector(".render"))?.scrollIntoView({ block: error ? "nearest" : "start" });
  }

  settle(document);
})();
