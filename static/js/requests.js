// A request that fails says so beside what was pressed, for eyes and for screen readers. Nothing on the page is replaced.
(() => {
  const WORDS = {
    signedOut: "You were signed out. Sign in to continue: everything you typed is still here.",
    unreachable: "Not sent: the portal did not answer. Are you offline? Nothing was lost.",
    stale: "The portal does not answer, so this may be out of date. It is asked again automatically.",
    backIn: "You are signed in again. Continue where you were.",
  };
  const notes = new Map();
  const signIn = document.body.dataset.signIn;

  // A sign-in in another tab changes the token: what the browser has now counts, not what the page was drawn with.
  const token = () => document.cookie.match(/(?:^|;\s*)(?:__Host-)?csrftoken=([^;]+)/)?.[1];
  let isAgain = false;
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    // "Try again" is meant for Kubeflow, not for what the portal remembers of it.
    if (isAgain) detail.headers["X-Vizportal-Retry"] = "1";
    if (!token() || detail.verb === "get") return;
    detail.headers["X-CSRFToken"] = token();
    if (detail.formData?.has("csrfmiddlewaretoken")) detail.formData.set("csrfmiddlewaretoken", token());
  });
  document.addEventListener("submit", (event) => {
    const field = event.target.querySelector("input[name=csrfmiddlewaretoken]");
    if (field && token()) field.value = token();
  });

  const isRefresh = (config) => !config?.triggeringEvent?.isTrusted && /\bevery\b/.test(config?.elt?.getAttribute("hx-trigger") ?? "");

  function wordsOf(xhr) {
    if (!xhr || xhr.status === 0) return WORDS.unreachable;
    if (xhr.status === 401 || xhr.status < 300) return WORDS.signedOut;
    const isSentence = (xhr.getResponseHeader("Content-Type") ?? "").startsWith("text/plain");
    if (isSentence && xhr.responseText.trim()) return xhr.responseText.trim().slice(0, 400);
    if (xhr.status === 404) return "It no longer exists. Reload the page to see the current state.";
    if (xhr.status === 429) return "Too many requests at once. Wait a moment, then try again.";
    return `The portal could not answer (error ${xhr.status}). Nothing was lost.`;
  }

  // Beside the button; in a part that loads by itself, there; never inside a drawing.
  function place(note, config) {
    const { elt, target, triggeringEvent: event } = config;
    const button = event?.submitter ?? event?.target?.closest?.("button, a, summary") ?? null;
    const isDrawn = (each) => each?.closest?.("svg");
    if (isRefresh(config)) return document.getElementById("main").prepend(note);
    if (button && elt.contains(button) && !isDrawn(button)) return button.after(note);
    if (isDrawn(elt) || elt.matches("a, button, tr, td")) return (target?.id === "step-panel" ? target : document.getElementById("main")).prepend(note);
    return elt.append(note);
  }

  function button(label, onPress) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn";
    made.textContent = label;
    made.addEventListener("click", onPress);
    return made;
  }

  function signInLink() {
    const link = document.createElement("a");
    Object.assign(link, { className: "btn btn-primary", href: signIn, target: "_blank", textContent: "Sign in" });
    return link;
  }

  function again({ elt, triggeringEvent: event, path, verb, target }) {
    isAgain = true;
    try {
      if (event?.type === "submit") return elt.requestSubmit(event.submitter);
      if (event?.type === "click") return elt.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
      return htmx.ajax(verb.toUpperCase(), path, { source: elt, target });
    } finally {
      isAgain = false;
    }
  }

  function forget(elt) {
    notes.get(elt)?.remove();
    notes.delete(elt);
  }

  function tell(config, xhr) {
    const { elt } = config;
    const isStale = isRefresh(config) && (!xhr || xhr.status === 0);
    const text = isStale ? WORDS.stale : wordsOf(xhr);
    if (notes.get(elt)?.isConnected && notes.get(elt).dataset.words === text && isRefresh(config)) return;
    forget(elt);
    const note = document.createElement("div");
    note.className = "banner banner-error request-failed";
    note.dataset.words = text;
    note.setAttribute("role", "alert");
    const words = document.createElement("div");
    words.textContent = text;
    const actions = document.createElement("div");
    actions.className = "actions";
    if (text === WORDS.signedOut) actions.append(signInLink());
    if (!isRefresh(config) && !(xhr?.status >= 400 && xhr.status < 500 && xhr.status !== 401)) {
      actions.append(button("Try again", () => { forget(elt); again(config); }));
    }
    note.append(words, actions);
    place(note, config);
    notes.set(elt, note);
    if (!isRefresh(config)) note.scrollIntoView({ block: "nearest" });
  }

  // The attribute is inherited, and "unset" ends that.
  const selects = (elt) => !["unset", undefined].includes(elt.closest("[hx-select]")?.getAttribute("hx-select"));
  // A whole page where a part was asked for: a gateway's sign-in page, or ours. It is not swapped in.
  const isWholePage = (xhr) => /^\s*<!doctype html/i.test(xhr.responseText.slice(0, 200));
  const isElsewhere = (xhr, config) => new URL(xhr.responseURL, location.href).pathname !== new URL(config.path, location.href).pathname;
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const { xhr, requestConfig: config } = detail;
    if (!detail.shouldSwap || !config || !isWholePage(xhr)) return;
    if (selects(config.elt) && !isElsewhere(xhr, config)) return;
    detail.shouldSwap = false;
    detail.isError = true;
  });

  document.addEventListener("htmx:responseError", ({ detail }) => tell(detail.requestConfig, detail.xhr));
  for (const kind of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(kind, ({ detail }) => tell(detail.requestConfig, null));
  }
  document.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
    if (detail.xhr.status < 400) forget(detail.requestConfig.elt);
  });
  document.addEventListener("htmx:historyCacheMissLoadError", () => location.reload());

  // Signed in again in another tab: the pages that wait are told, and go on.
  const channel = new BroadcastChannel("vizportal-sign-in");
  channel.addEventListener("message", () => {
    for (const [elt, note] of notes) {
      if (note.dataset.words !== WORDS.signedOut) continue;
      note.className = "banner banner-ok request-failed";
      note.querySelector("div").textContent = WORDS.backIn;
      note.querySelector("a")?.remove();
      if (isRefresh({ elt })) forget(elt);
    }
  });
  if (document.querySelector("[data-signed-in]")) channel.postMessage("signed in");


})();
