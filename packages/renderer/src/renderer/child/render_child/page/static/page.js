(() => {
  // The page that shows this result tells its theme; the result tells its height and which loads were blocked.
  const setTheme = (theme) => { if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme; };
  if (parent !== window) parent.postMessage({ vizportalReady: true }, "*");
  const blocked = new Map();
  const tellBlocked = (kind, address) => parent.postMessage({ vizportalBlocked: address, vizportalKind: kind }, "*");
  const block = (kind, given) => {
    const address = String(given).slice(0, 300);
    if (parent === window || blocked.has(kind + address) || blocked.size >= 5) return;
    blocked.set(kind + address, [kind, address]);
    tellBlocked(kind, address);
  };
  addEventListener("message", (event) => {
    setTheme(event.data?.vizportalTheme);
    if (event.data?.vizportalAsk === "blocked") blocked.forEach((each) => tellBlocked(...each));
  });
  document.addEventListener("securitypolicyviolation", (event) => block("load", event.blockedURI));

  // A page without an origin has no storage, and code that only asks for it must not end: it is kept in memory.
  const hasNone = (name) => { try { return !window[name]; } catch { return true; } };
  const storage = () => {
    const kept = new Map();
    const methods = {
      getItem: (key) => kept.get(String(key)) ?? null, setItem: (key, value) => void kept.set(String(key), String(value)),
      removeItem: (key) => void kept.delete(String(key)), clear: () => kept.clear(), key: (at) => [...kept.keys()][at] ?? null,
    };
    return new Proxy(methods, {
      get: (_, key) => (key === "length" ? kept.size : methods[key] ?? kept.get(key)),
      set: (_, key, value) => { kept.set(key, String(value)); return true; },
      deleteProperty: (_, key) => { kept.delete(key); return true; },
      has: (_, key) => kept.has(key), ownKeys: () => [...kept.keys()],
      getOwnPropertyDescriptor: (_, key) => (kept.has(key) ? { value: kept.get(key), enumerable: true, configurable: true, writable: true } : undefined),
    });
  };
  for (const name of ["localStorage", "sessionStorage"]) {
    if (hasNone(name)) Object.defineProperty(window, name, { value: storage(), configurable: true });
  }
  try { void document.cookie; } catch {
    const jar = new Map();
    Object.defineProperty(document, "cookie", {
      get: () => [...jar].map((each) => each.join("=")).join("; "),
      set: (text) => { const [name, ...rest] = String(text).split(";")[0].split("="); jar.set(name.trim(), rest.join("=").trim()); },
    });
  }

  // What a frame like this cannot do by itself: follow links, open windows, save files. The page around it says so, and
  // scrolls to the target of a link within the page, since the frame is as high as what is in it.
  const followed = (link) => {
    const href = link.getAttribute("href") ?? "";
    if (link.hasAttribute("download")) return "download";
    if (href.startsWith("#")) return "fragment";
    return /^(https?:)?\/\//i.test(href) || link.target === "_blank" ? "link" : "";
  };
  const follow = (link) => {
    const kind = followed(link);
    if (kind !== "fragment") { if (kind) block(kind, kind === "download" ? link.download || "a file" : link.href || link.getAttribute("href")); return kind; }
    const name = decodeURIComponent(link.getAttribute("href").slice(1));
    const target = name ? document.getElementById(name) ?? document.getElementsByName(name)[0] : document.body;
    if (target) parent.postMessage({ vizportalScroll: target.getBoundingClientRect().top + scrollY }, "*");
    target?.focus?.({ preventScroll: true });
    return kind;
  };
  if (parent !== window) {
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.("a[href]");
      if (link && !event.defaultPrevented && follow(link)) event.preventDefault();
    });
    const click = HTMLAnchorElement.prototype.click;
    HTMLAnchorElement.prototype.click = function () {
      // Libraries save files by a link that is in no page.
      if (this.isConnected || !follow(this)) click.call(this);
    };
    window.open = (address) => { block("link", address ?? "a new window"); return null; };
    // A frame's own page tells nothing of what it may not load (folium's maps).
    addEventListener("load", () => document.querySelectorAll("iframe[srcdoc]").forEach((frame) => {
      const found = /<(?:script|link)\b[^>]*\b(?:src|href)\s*=\s*["']?((?:https?:)?\/\/[^"'\s>]+)/i.exec(frame.srcdoc);
      if (found) block("load", found[1]);
    }));
  }
  // What is wider than the page scrolls in its own box, which the keyboard has to reach.
  const letScroll = () => document.querySelectorAll(".rich, .output").forEach((box) => {
    const scrolls = box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX === "auto";
    if (!scrolls || box.hasAttribute("tabindex")) return;
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Output");
  });
  addEventListener("resize", letScroll);
  addEventListener("load", () => {
    letScroll();
    if (parent === window) return;
    const tell = () => parent.postMessage({ vizportalHeight: document.body.scrollHeight + 2 }, "*");
    new ResizeObserver(tell).observe(document.body);
    tell();
  });
})();
