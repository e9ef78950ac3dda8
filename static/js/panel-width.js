// The panel beside the graph is as wide as one likes it: by mouse, touch or arrow keys, remembered on this browser.
(() => {
  const split = document.querySelector("[data-split]");
  const panel = document.getElementById("step-panel");
  const handle = document.querySelector("[data-panel-resizer]");
  if (!split || !panel || !handle) return;

  const KEY = "vizportal-panel-share";
  const LEAST_PX = 352;
  const LEAST_GRAPH_PX = 240;
  const STEP_PX = 32;

  // The width is kept as a share of the page, so that another window gets a panel that fits it.
  const most = () => Math.max(LEAST_PX, split.clientWidth - LEAST_GRAPH_PX);
  const within = (width) => Math.min(most(), Math.max(LEAST_PX, width));

  function tell() {
    const share = Math.round((100 * panel.offsetWidth) / (split.clientWidth || 1));
    handle.setAttribute("aria-valuenow", String(Math.min(100, share)));
    handle.setAttribute("aria-valuetext", `${share} % of the page`);
  }

  function resize(width, isKept = true) {
    const fitting = within(width);
    split.style.setProperty("--panel-width", `${Math.round(fitting)}px`);
    if (isKept) localStorage.setItem(KEY, (fitting / split.clientWidth).toFixed(4));
    tell();
  }

  function restore() {
    const share = Number(localStorage.getItem(KEY));
    if (share > 0 && share < 1) resize(share * split.clientWidth, false);
    else tell();
  }

  function forget() {
    localStorage.removeItem(KEY);
    split.style.removeProperty("--panel-width");
    tell();
  }

  const KEYS = {
    ArrowLeft: () => resize(panel.offsetWidth + STEP_PX),
    ArrowRight: () => resize(panel.offsetWidth - STEP_PX),
    Home: () => resize(most()),
    End: () => resize(LEAST_PX),
    Enter: forget,
  };
  handle.addEventListener("keydown", (event) => {
    if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    KEYS[event.key]();
  });

  handle.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    handle.setPointerCapture(event.pointerId);
    const right = panel.getBoundingClientRect().right;
    const offset = event.clientX - panel.getBoundingClientRect().left;
    const move = (moved) => resize(right - moved.clientX + offset);
    const stop = () => {
      for (const each of [split, handle]) each.classList.remove("dragging");
      handle.removeEventListener("pointermove", move);
    };
    for (const each of [split, handle]) each.classList.add("dragging");
    handle.addEventListener("pointermove", move);
    handle.addEventListener("lostpointercapture", stop, { once: true });
  });
  handle.addEventListener("dblclick", forget);

  // The handle belongs to an open panel only; run-graph.js opens and closes it.
  function follow() {
    handle.hidden = panel.hidden;
    if (!panel.hidden) restore();
  }
  new MutationObserver(follow).observe(panel, { attributes: true, attributeFilter: ["hidden"] });
  addEventListener("resize", restore);
  follow();
})();
