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
    const frame = frames().find((each) => each.contentWindow === event.source);
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

  // A frame may have been quicker than this script.
  function askBlocked() {
    for (const frame of document.querySelectorAll("iframe[data-result]")) frame.contentWindow?.postMessage({ vizportalAsk: "blocked" }, "*");
  }

  // One stream a page, and only while something on it can change: it tells of the cards that were there when it began.
  // Polling (every 3s in the card) covers its absence.
  const REFUSED_STREAM_PAUSE_MS = 30_000;
  const MOST_NAMED = 50;
  let stream = null;
  let heard = new Set();
  const liveIds = () => [...document.querySelectorAll("[data-live]")].map((each) => each.dataset.live);
  const look = (id, isHeard) => {
    const card = document.querySelector(`[data-live="${CSS.escape(id)}"]`);
    if (card) htmx.trigger(card, "vizportal:changed", { isHeard });
  };
  function listen() {
    const ids = liveIds();
    if (stream && ids.length > 0 && ids.every((id) => heard.has(id))) return;
    stream?.close();
    stream = null;
    if (ids.length > 0) openStream(ids);
  }
  function openStream(ids) {
    heard = new Set(ids);
    // Too many names for an address: then of all renders.
    const query = ids.length > MOST_NAMED ? "" : `?${new URLSearchParams(ids.map((id) => ["render", id]))}`;
    stream = new EventSource(events + query);
    stream.addEventListener("render", (event) => look(JSON.parse(event.data).id, true));
    // The server cannot know what was missed: before the stream began, or while its own source was away.
    stream.addEventListener("look", (event) => {
      setTimeout(() => liveIds().forEach((id) => look(id, false)), Math.random() * JSON.parse(event.data).within_ms);
    });
    // A broken stream opens again by itself; one that was refused (the server just had no database) does not.
    stream.addEventListener("error", (event) => {
      if (event.target.readyState !== EventSource.CLOSED || event.target !== stream) return;
      stream = null;
      setTimeout(listen, REFUSED_STREAM_PAUSE_MS);
    });
  }

  // A card that waits changes by its place in the queue only; its start is told by the stream. With many pages open,
  // most wait. What no event asked for says so, and the server may let it wait for what one did.
  const WAITING_POLL_MS = 30_000;
  const askedAt = new Map();
  const isLiveCard = (event) => event.target.dataset?.live && event.detail.elt === event.target;
  document.addEventListener("htmx:configRequest", (event) => {
    if (isLiveCard(event) && !event.detail.triggeringEvent?.detail?.isHeard) event.detail.headers["X-Vizportal-Poll"] = "1";
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isLiveCard(event)) return;
    const id = event.target.dataset.live;
    const isPoll = !event.detail.requestConfig.triggeringEvent;
    const isHeard = stream?.readyState === EventSource.OPEN && heard.has(id);
    if (isPoll && isHeard && "waits" in event.target.dataset && Date.now() - (askedAt.get(id) ?? 0) < WAITING_POLL_MS) {
      event.preventDefault();
      return;
    }
    askedAt.set(id, Date.now());
  });

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
      if (draft === null || draft === textarea.value || !isUntouched || textarea.matches("[aria-invalid]")) continue;
      textarea.value = draft;
      const note = textarea.form?.querySelector("[data-draft-note]");
      if (note) note.hidden = false;
    }
  }

  // Back to what the server sent; in the editor as one change, which can be undone.
  function dropDraft(form) {
    const textarea = form.querySelector("textarea[data-draft]");
    const view = form.querySelector(".editor")?.editor;
    const text = textarea.defaultValue;
    if (view) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    textarea.value = text;
    localStorage.removeItem(draftKey(textarea));
    form.querySelector("[data-draft-note]").hidden = true;
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
    for (const field of text.form.querySelectorAll(":is([data-arguments-set], [data-arguments-fields]) [name]")) {
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
    const drop = event.target.closest("[data-drop-draft]");
    if (drop) dropDraft(drop.form ?? drop.closest("form"));
    const choice = event.target.closest("[data-choose-type]");
    const radio = choice && document.querySelector(`[data-creator-form] [name="type"][value="${CSS.escape(choice.dataset.chooseType)}"]`);
    if (radio) {
      event.preventDefault();
      const fold = radio.closest("details.creator-fold");
      if (fold) fold.open = true;
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
  let unfolded = [];
  document.addEventListener("htmx:beforeSwap", () => {
    unfolded = [...document.querySelectorAll("[data-creator-form] [data-keep-open][open]")].map((each) => each.dataset.keepOpen);
    const active = document.activeElement;
    focused = active?.name ? `[name="${CSS.escape(active.name)}"]${active.type === "radio" ? `[value="${CSS.escape(active.value)}"]` : ""}` : null;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    settle(document);
    if (event.detail.target?.matches("[data-creator-form]")) {
      for (const name of unfolded) document.querySelector(`[data-creator-form] [data-keep-open="${name}"]`)?.setAttribute("open", "");
    }
    if (focused && document.activeElement === document.body) document.querySelector(`[data-creator-form] ${focused}`)?.focus();
    const { requestConfig: config, target } = event.detail;
    const isAnswer = config?.verb === "post" && target?.matches("[data-creator]");
    if (isAnswer) showAnswer(target);
    // The run's list of results is elsewhere on the page.
    const ended = config?.elt?.matches("article.render") && !document.querySelector(`[data-live="${CSS.escape(config.elt.dataset.live ?? "")}"]`);
    if (isAnswer || ended) htmx.trigger(document.body, "vizportal:rendered");
  });

  // After Generate: what is wrong with the form, else the new result, which stands below it.
  function showAnswer(holder) {
    const error = holder.querySelector("[data-creator-form] :is(.error, [role=alert])");
    (error ?? holder.querySelector(".render"))?.scrollIntoView({ block: error ? "nearest" : "start" });
  }

  settle(document);
})();

// A card whose result has no picture shows the words below it.
document.addEventListener("error", (event) => {
  if (event.target instanceof HTMLImageElement && event.target.closest(".thumbnail")) event.target.remove();
}, true);
