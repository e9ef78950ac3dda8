// The bare page of a link tells a page that embeds it how high it is.
(() => {
  if (parent === window) return;
  const tellHeight = () => parent.postMessage({ vizportalHeight: document.body.offsetHeight }, "*");
  new ResizeObserver(tellHeight).observe(document.body);
  tellHeight();
})();
