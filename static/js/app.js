// Behaviours any page may use, hooked by data attributes. Pages work without them.
(() => {
  function announce(text) {
    const region = document.querySelector("[data-announcer]");
    if (region) region.textContent = text;
  }

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      announce("Copied");
      button.classList.add("copied");
      setTimeout(() => button.classList.remove("copied"), 1200);
    } catch {
      announce("Copying is not allowed here");
    }
  }

  function toggleTheme() {
    const root = document.documentElement;
    const isDark = (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    root.dataset.theme = isDark ? "light" : "dark";
    localStorage.setItem("vizportal-theme", root.dataset.theme);
    announce(`${root.dataset.theme} theme`);
  }

  const isTyping = (target) => target.closest("input, textarea, select, [contenteditable], .editor");

  function moveInList(step) {
    const rows = [...document.querySelectorAll("[data-list] [data-row]")];
    if (!rows.length) return;
    const current = rows.findIndex((row) => row.contains(document.activeElement));
    const next = rows[Math.min(rows.length - 1, Math.max(0, current + step))];
    (next.querySelector("a[href]") ?? next).focus();
  }

  const KEYS = {
    "/": () => document.querySelector("[data-search]")?.focus(),
    j: () => moveInList(1),
    k: () => moveInList(-1),
    "?": () => document.querySelector("dialog[data-help]")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-theme-toggle], [data-open-dialog], [data-close-dialog]");
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    if (!button) return;
    if (button.matches("[data-copy]")) copy(button);
    if (button.matches("[data-theme-toggle]")) toggleTheme();
    if (button.matches("[data-open-dialog]")) document.getElementById(button.dataset.openDialog)?.showModal();
    if (button.matches("[data-close-dialog]")) button.closest("dialog")?.close();
  });

  // A menu hangs from its button's right edge, and moves where the screen ends before it does.
  document.addEventListener("toggle", (event) => {
    const items = event.target.matches?.("details.menu[open]") && event.target.querySelector(":scope > .menu-items");
    if (!items) return;
    items.style.translate = "";
    const { left, right } = items.getBoundingClientRect();
    const gap = 8;
    const by = left < gap ? gap - left : Math.min(0, document.documentElement.clientWidth - gap - right);
    if (by) items.style.translate = `${by}px 0`;
  }, true);

  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
    if (question && !confirm(question)) event.preventDefault();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-autosubmit] select, [data-autosubmit] input[type=checkbox]")) event.target.form.requestSubmit();
  });

  // One box for all of a list; it shows when only some are chosen.
  document.addEventListener("change", (event) => {
    const all = event.target.closest("[data-select-all]") ?? event.target.form?.querySelector("[data-select-all]");
    if (!all) return;
    const boxes = [...all.form.querySelectorAll(`input[type=checkbox][name="${all.dataset.selectAll}"]`)];
    if (event.target === all) for (const box of boxes) box.checked = all.checked;
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  });

  // A result tells its height; the frame follows, within bounds and not more than ten times a second.
  const lastResize = new WeakMap();
  addEventListener("message", (event) => {
    const frame = [...document.querySelectorAll("iframe[data-result]")].find((each) => each.contentWindow === event.source);
    const height = Number(event.data?.vizportalHeight);
    const now = performance.now();
    if (!frame || !Number.isFinite(height) || now - (lastResize.get(frame) ?? -1000) < 100) return;
    lastResize.set(frame, now);
    frame.style.height = `${Math.min(20000, Math.max(100, Math.ceil(height)))}px`;
  });

  // What is loaded without being asked for is said to who cannot see it come.
  document.addEventListener("htmx:beforeRequest", ({ detail }) => { if (detail.elt.dataset.announce) announce(detail.elt.dataset.announce); });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    // The element itself may be gone by now.
    const done = detail.requestConfig?.elt?.dataset.announceDone;
    if (detail.successful && done) announce(done);
  });
  // Fields that were left empty filter nothing: they stay out of the address.
  document.addEventListener("formdata", (event) => {
    if (event.target.method !== "get") return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });

  // A script that only some pages need waits in a template. It is loaded when an element that it serves is on the page
  // (data-for), when the pointer or the focus first comes to one (data-use), or when this browser kept something for it.
  function load(template) {
    const scripts = [...template.content.querySelectorAll("script")];
    template.remove();
    for (const script of scripts) script.async = false;
    document.head.append(...scripts);
  }
  const isKept = (key) => { try { return sessionStorage.getItem(key) ?? localStorage.getItem(key); } catch { return null; } };
  function loadNeeded() {
    for (const template of document.querySelectorAll("head template")) {
      const { for: served, kept } = template.dataset;
      if ((served && document.querySelector(served)) || (kept && isKept(kept))) load(template);
    }
  }
  function loadUsed({ target }) {
    for (const template of document.querySelectorAll("head template[data-use]")) {
      if (target.closest?.(template.dataset.use)) load(template);
    }
  }
  for (const kind of ["htmx:afterSettle", "vizportal:needs"]) document.addEventListener(kind, loadNeeded);
  for (const kind of ["focusin", "pointerover"]) document.addEventListener(kind, loadUsed);
  loadNeeded();

  // On a narrow screen the menu scrolls, and the page's own entry may be outside of it.
  document.querySelector(".site-nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
})();
