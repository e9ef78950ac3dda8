// A report that is printed shows pictures. Where a result has none, its frame is printed; then the print dialog opens.
(() => {
  const page = document.querySelector("[data-print]");
  if (!page) return;
  // Paper is white: results are told so too. It holds for this page only.
  document.documentElement.dataset.theme = "light";
  const frameIn = (picture) => new Promise((done) => {
    const template = picture.parentElement.querySelector("template[data-frame]");
    const frame = template.content.firstElementChild.cloneNode(true);
    // A result that does not end loading must not keep the rest from the printer.
    setTimeout(done, 10000);
    frame.addEventListener("load", () => setTimeout(done, 1500), { once: true });
    picture.replaceWith(frame);
  });
  const settled = [...page.querySelectorAll("img[data-picture]")].map((picture) => new Promise((done) => {
    const look = () => (picture.naturalWidth ? done() : frameIn(picture).then(done));
    if (picture.complete) { look(); return; }
    picture.addEventListener("load", look, { once: true });
    picture.addEventListener("error", look, { once: true });
  }));
  Promise.all(settled).then(() => { if (page.dataset.print === "now") print(); });
})();
