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
  addEventListener("load", () => {
    if (parent === window) return;
    const tell = () => parent.postMessage({ vizportalHeight: document.body.scrollHeight + 2 }, "*");
    new ResizeObserver(tell).observe(document.body);
    tell();
  });
})();
