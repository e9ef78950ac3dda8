(() => {
  // The page that shows this result tells its theme; the result tells its height and which loads were blocked.
  const setTheme = (theme) => { if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme; };
  if (parent !== window) parent.postMessage({ vizportalReady: true }, "*");
  const blocked = new Set();
  const tellBlocked = (address) => parent.postMessage({ vizportalBlocked: address }, "*");
  addEventListener("message", (event) => {
    setTheme(event.data?.vizportalTheme);
    if (event.data?.vizportalAsk === "blocked") blocked.forEach(tellBlocked);
  });
  document.addEventListener("securitypolicyviolation", (event) => {
    const address = String(event.blockedURI).slice(0, 300);
    if (parent === window || blocked.has(address) || blocked.size >= 5) return;
    blocked.add(address);
    tellBlocked(address);
  });
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
