// The bare page of a link: tells results the theme, and tells a page that embeds it how high it is.
(() => {
  const root = document.documentElement;
  const theme = () => root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const frames = () => [...document.querySelectorAll("iframe[data-themed]")];
  const tellTheme = (target) => target?.postMessage({ vizportalTheme: theme() }, "*");
  addEventListener("message", (event) => {
    if (event.data?.vizportalReady && frames().some((each) => each.contentWindow === event.source)) tellTheme(event.source);
  });
  document.addEventListener("load", (event) => { if (event.target.matches?.("iframe[data-themed]")) tellTheme(event.target.contentWindow); }, true);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const each of frames()) tellTheme(each.contentWindow); });

  if (parent === window) return;
  const tellHeight = () => parent.postMessage({ vizportalHeight: document.body.offsetHeight }, "*");
  new ResizeObserver(tellHeight).observe(document.body);
  tellHeight();
})();
