// Keys of the gallery: previous and next page, and x ticks what has the focus.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  if (event.key === "[" || event.key === "]") document.querySelector(`main a[rel="${event.key === "[" ? "prev" : "next"}"]`)?.click();
  if (event.key === "x") event.target.closest("[data-row]")?.querySelector("input[type=checkbox]")?.click();
});
// The slider of a series leads to the run that it stands at.
document.addEventListener("change", (event) => {
  const slider = event.target.closest("[data-series] input[type=range]");
  if (slider) slider.form.querySelector(`[data-at="${Number(slider.value)}"]`)?.click();
});
