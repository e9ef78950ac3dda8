// The graph as something to move about in: zoom and drag. Without this script it is a drawing that scrolls.
(() => {
  const LEAST = 0.02;
  const MOST = 3;
  const STEP = 1.25;
  const BY_PX = 60;

  // What outlives the part of the page that is drawn again every other second.
  const kept = { zoom: null, left: 0, top: 0, open: [], anchor: null, list: 0 };
  let view = null;

  const within = (least, value, most) => Math.min(most, Math.max(least, value));

  class View {
    constructor(pane) {
      this.pane = pane;
      this.wrap = pane.querySelector("[data-graph-wrap]");
      this.svg = pane.querySelector("[data-graph]");
      const [, , width, height] = this.svg.getAttribute("viewBox").split(" ").map(Number);
      this.size = { width, height };
      pane.querySelector("[data-graph-zoom]").hidden = false;
      pane.addEventListener("click", (event) => this.press(event));
      this.wrap.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      this.wrap.addEventListener("keydown", (event) => this.key(event));
      this.wrap.addEventListener("scroll", () => this.follow(), { passive: true });
      this.pointers = new Map();
      this.width = this.wrap.clientWidth;
      this.wrap.addEventListener("pointerdown", (event) => this.grab(event));
      // Links can be dragged out of a page; here a drag moves the drawing.
      this.wrap.addEventListener("dragstart", (event) => event.preventDefault());
      this.observer = new ResizeObserver(() => this.resized());
      this.observer.observe(this.wrap);
      kept.zoom ??= this.start();
      this.zoom = kept.zoom;
      this.apply();
    }

    get room() {
      const style = getComputedStyle(this.wrap);
      const inline = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
      const block = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom);
      const most = parseFloat(style.maxHeight) || innerHeight;
      return { width: this.wrap.clientWidth - inline, height: Math.max(this.wrap.clientHeight, most) - block - 2 };
    }

    fit() {
      const { width, height } = this.room;
      return within(LEAST, Math.min(width / this.size.width, height / this.size.height), 1);
    }

    // A graph a little too wide is shown whole; smaller than this it could not be read.
    start() {
      return within(0.75, this.room.width / this.size.width, 1);
    }

    apply() {
      this.svg.setAttribute("width", String(Math.round(this.size.width * this.zoom)));
      this.svg.setAttribute("height", String(Math.round(this.size.height * this.zoom)));
      const level = this.pane.querySelector("[data-zoom-level]");
      level.textContent = `${Math.round(100 * this.zoom)} %`;
      this.follow();
    }

    // Zooms so that what is under the point (the middle, if none is given) stays where it is.
    to(zoom, point = null) {
      const next = within(LEAST, zoom, MOST);
      const box = this.wrap.getBoundingClientRect();
      const at = point ?? { x: box.left + box.width / 2, y: box.top + box.height / 2 };
      const before = this.svg.getBoundingClientRect();
      const share = { x: (at.x - before.left) / before.width, y: (at.y - before.top) / before.height };
      this.zoom = next;
      kept.zoom = next;
      this.apply();
      const after = this.svg.getBoundingClientRect();
      this.wrap.scrollLeft += after.left + share.x * after.width - at.x;
      this.wrap.scrollTop += after.top + share.y * after.height - at.y;
    }

    press(event) {
      const kind = event.target.closest("[data-zoom]")?.dataset.zoom;
      if (kind) this.change(kind);
    }

    change(kind) {
      if (kind === "in") this.to(this.zoom * STEP);
      if (kind === "out") this.to(this.zoom / STEP);
      if (kind === "one") this.to(1);
      if (kind === "fit") this.to(this.fit());
    }

    wheel(event) {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.to(this.zoom * Math.exp(-within(-60, event.deltaY, 60) / 200), { x: event.clientX, y: event.clientY });
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const kinds = { "+": "in", "=": "in", "-": "out", 0: "fit", 1: "one" };
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (kinds[event.key]) this.change(kinds[event.key]);
      else if (moves[event.key] && event.target === this.wrap) this.wrap.scrollBy(...moves[event.key].map((each) => each * BY_PX));
      else return;
      event.preventDefault();
    }

    // One finger or the mouse moves the drawing, two fingers pull it larger or smaller.
    grab(event) {
      if (event.button !== 0 || event.target.closest(".menu")) return;
      if (event.pointerType === "touch") return void this.touch(event);
      const start = { x: event.clientX, y: event.clientY, left: this.wrap.scrollLeft, top: this.wrap.scrollTop };
      let isMoving = false;
      const move = (moved) => {
        const [dx, dy] = [moved.clientX - start.x, moved.clientY - start.y];
        if (!isMoving && Math.hypot(dx, dy) < 5) return;
        isMoving = true;
        this.wrap.classList.add("dragging");
        this.wrap.scrollLeft = start.left - dx;
        this.wrap.scrollTop = start.top - dy;
      };
      const stop = () => {
        removeEventListener("pointermove", move);
        for (const name of ["pointerup", "pointercancel"]) removeEventListener(name, stop);
        this.wrap.classList.remove("dragging");
        // The click that ends a drag opens nothing.
        if (isMoving) {
          const swallow = (click) => { click.preventDefault(); click.stopPropagation(); };
          addEventListener("click", swallow, { capture: true, once: true });
          setTimeout(() => removeEventListener("click", swallow, { capture: true }), 50);
        }
      };
      addEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) addEventListener(name, stop);
    }

    touch(event) {
      this.pointers.set(event.pointerId, event);
      const gap = () => {
        const [one, other] = [...this.pointers.values()];
        return Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      };
      if (this.pointers.size === 2) this.pinch = { gap: gap(), zoom: this.zoom };
      const move = (moved) => {
        if (!this.pointers.has(moved.pointerId)) return;
        this.pointers.set(moved.pointerId, moved);
        if (this.pointers.size !== 2 || !this.pinch) return;
        const [one, other] = [...this.pointers.values()];
        this.to((this.pinch.zoom * gap()) / this.pinch.gap, { x: (one.clientX + other.clientX) / 2, y: (one.clientY + other.clientY) / 2 });
      };
      const stop = (ended) => {
        if (ended.pointerId !== event.pointerId) return;
        this.pointers.delete(ended.pointerId);
        this.pinch = null;
        for (const name of ["pointerup", "pointercancel"]) removeEventListener(name, stop);
        removeEventListener("pointermove", move);
      };
      addEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) addEventListener(name, stop);
    }

    // What the minimap shows is what outlives a refresh, too.
    follow() {
      kept.left = this.wrap.scrollLeft;
      kept.top = this.wrap.scrollTop;
      const { scrollWidth, clientWidth, scrollHeight, clientHeight } = this.wrap;
      const isLarger = scrollWidth > clientWidth + 4 || scrollHeight > clientHeight + 4;
      const isNew = isLarger && !this.wrap.classList.contains("can-drag");
      this.wrap.classList.toggle("can-drag", isLarger);
      this.minimap?.follow(isLarger);
      if (isNew && !this.minimap) this.map();
    }

    // Only what is larger than its place has a map, whose script is loaded for the first of them.
    map() {
      if (typeof GraphMinimap === "undefined") return void document.dispatchEvent(new Event("vizportal:needs"));
      this.minimap = new GraphMinimap(this.pane.querySelector("[data-minimap]"), this.wrap, this.svg, this.size, this.room.height);
      this.minimap.follow(true);
    }

    // The panel that opened beside the graph must not hide the step it belongs to.
    resized() {
      const isNarrower = this.wrap.clientWidth < this.width;
      this.width = this.wrap.clientWidth;
      this.follow();
      const selected = isNarrower && this.svg.querySelector("[data-node][aria-current]");
      if (selected) this.reveal(selected);
    }

    // Scrolls the drawing, and only the drawing, until the node can be seen.
    reveal(node) {
      const [seen, own] = [this.wrap.getBoundingClientRect(), node.getBoundingClientRect()];
      const gap = 24;
      const past = (start, end, least, most) => (end > most ? Math.min(end - most, start - least) : Math.min(0, start - least));
      this.wrap.scrollBy({
        left: past(own.left - gap, own.right + gap, seen.left, seen.right),
        top: past(own.top - gap, own.bottom + gap, seen.top, seen.bottom),
      });
    }

    // The first sight: the chosen step, else the middle of what stands at the top.
    open() {
      const selected = this.svg.querySelector("[data-node][aria-current]");
      if (selected) return void this.reveal(selected);
      const boxes = [...this.svg.querySelectorAll("[data-node]")].map((node) => node.getBoundingClientRect());
      const first = boxes.sort((one, other) => one.top - other.top || one.left - other.left)[0];
      const seen = this.wrap.getBoundingClientRect();
      if (first) this.wrap.scrollLeft += first.left + first.width / 2 - (seen.left + seen.width / 2);
    }

    end() {
      this.observer.disconnect();
    }
  }

  const list = () => document.querySelector("[data-timeline-wrap]");

  function keep(asked) {
    // A menu stays open over the refresh of a live run, and closes when something was chosen in it.
    const chosen = asked?.closest?.("details");
    kept.open = [...document.querySelectorAll("[data-graph-pane] details[id][open]")].filter((each) => each !== chosen).map((each) => each.id);
    kept.list = list()?.scrollTop ?? 0;
    const active = document.activeElement?.closest?.("[data-graph] [id]");
    kept.anchor = active ? { id: active.id, ...position(active) } : null;
  }

  function position(element) {
    const box = element.getBoundingClientRect();
    return { x: box.left, y: box.top };
  }

  function begin(isAgain) {
    const pane = document.querySelector("[data-graph-pane]");
    if (view?.pane === pane) return;
    const { left, top } = kept;
    view?.end();
    view = pane ? new View(pane) : null;
    if (list()) list().scrollTop = kept.list;
    for (const id of kept.open) {
      const menu = document.getElementById(id);
      if (menu) menu.open = true;
    }
    kept.open = [];
    if (!view || !isAgain) return;
    view.wrap.scrollLeft = left;
    view.wrap.scrollTop = top;
    settle();
  }

  // A frame that opens moves what is around it; the button that was pressed stays under the pointer.
  function settle() {
    const anchor = kept.anchor && document.getElementById(kept.anchor.id);
    if (!anchor) return;
    const now = position(anchor);
    view.wrap.scrollLeft += now.x - kept.anchor.x;
    view.wrap.scrollTop += now.y - kept.anchor.y;
    kept.anchor = null;
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (["run-live", "graph-pane"].includes(event.detail.target?.id)) keep(event.detail.requestConfig?.elt);
  });
  document.addEventListener("htmx:afterSwap", () => begin(true));
  document.addEventListener("htmx:historyRestore", () => begin(false));
  document.addEventListener("focusin", (event) => {
    const node = event.target.closest?.("[data-graph] a");
    if (node && view && node.matches(":focus-visible")) view.reveal(node);
  });

  document.addEventListener("vizportal:minimap", () => view?.map());

  begin(false);
  if (view) view.open();
})();
