// Pages of saved results: links to copy, types to choose, full screen, keys for previous and next.
(() => {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-copy-link]");
    if (link) {
      const region = document.querySelector("[data-announcer]");
      navigator.clipboard?.writeText(new URL(link.dataset.copyLink, location.href).href).then(
        () => { region.textContent = "Link copied"; link.title = "Copied"; },
        () => { region.textContent = "Copying is not allowed here"; },
      );
    }
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
})();

// A card whose result has no picture shows the words below it.
document.addEventListener("error", (event) => {
  if (event.target instanceof HTMLImageElement && event.target.closest(".thumbnail")) event.target.remove();
}, true);
