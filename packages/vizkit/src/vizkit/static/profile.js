// skrub's report, in the page's theme whenever that changes, and with names for those of its controls that have none.
(() => {
  const STYLE = ":host { display: block; } a, a:visited { color: inherit !important; text-decoration: underline; } #report { background: var(--page) !important; } .warning { color: var(--bad); }";
  const roots = () => [...document.querySelectorAll("[data-vizkit=profile] *")].map((each) => each.shadowRoot).filter((root) => root?.querySelector("#report"));

  const mend = (root) => {
    if (root.querySelector("style[data-vizkit]")) return;
    const style = document.createElement("style");
    style.dataset.vizkit = "profile";
    style.textContent = STYLE;
    root.append(style);
    root.querySelectorAll("button.copybutton").forEach((button) => { button.ariaLabel ??= "Copy"; });
    root.querySelectorAll("h3").forEach((head) => { head.setAttribute("role", "heading"); head.ariaLevel = "2"; });
    root.querySelectorAll("input[type=checkbox]:not([aria-label])").forEach((box) => {
      if (!box.labels?.length) box.ariaLabel = `Select ${box.parentElement.textContent.replace(/\s+/g, " ").trim()}`;
    });
  };

  const set = () => {
    const chosen = document.documentElement.dataset.theme;
    const theme = chosen || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    for (const root of roots()) {
      mend(root);
      const report = root.querySelector("#report");
      report.classList.remove("light", "dark");
      report.classList.add(theme);
    }
  };

  // The report makes itself a moment after it is there.
  const start = () => setTimeout(() => {
    if (document.documentElement.dataset.profiles) return;
    document.documentElement.dataset.profiles = "yes";
    set();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", set);
    new MutationObserver(set).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  });
  if (document.readyState === "complete") start();
  else addEventListener("load", start);
})();
