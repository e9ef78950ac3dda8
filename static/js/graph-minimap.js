// A graph in small, with the part of it that is in sight; pressing it goes there. `graph-view.js` makes one.
const GraphMinimap = (() => {
  const NS = "http://www.w3.org/2000/svg";
  const within = (value, most) => Math.min(most, Math.max(0, value));
  const set = (element, values) => { for (const [name, value] of Object.entries(values)) element.setAttribute(name, String(value)); };

  return class {
    // `wrap` scrolls the drawing `svg`, which is `size` large at full size; `height` is the room there is for it.
    constructor(map, wrap, svg, size, height) {
      Object.assign(this, { map, wrap, svg, size });
      map.addEventListener("pointerdown", (event) => this.jump(event));
      this.draw(height);
    }

    draw(room) {
      const { width, height } = this.size;
      const scale = Math.min(Math.min(176, 0.26 * this.wrap.clientWidth) / width, Math.min(120, 0.3 * room) / height);
      const svg = document.createElementNS(NS, "svg");
      set(svg, { viewBox: `0 0 ${width} ${height}`, width: Math.max(24, width * scale), height: Math.max(24, height * scale), preserveAspectRatio: "none" });
      for (const frame of this.svg.querySelectorAll(".frame")) {
        const box = frame.cloneNode();
        box.setAttribute("class", "minimap-frame");
        svg.append(box);
      }
      for (const node of this.svg.querySelectorAll("[data-node]")) {
        const own = node.querySelector(".node-box:not(.node-under)");
        if (!own) continue;
        const box = document.createElementNS(NS, "rect");
        const [x, y] = node.getAttribute("transform").match(/-?[\d.]+/g);
        set(box, { x, y, width: own.getAttribute("width"), height: own.getAttribute("height"), class: [...node.classList].find((name) => name.startsWith("tone-")) || "" });
        svg.append(box);
      }
      this.window = document.createElementNS(NS, "rect");
      this.window.setAttribute("class", "minimap-window");
      svg.append(this.window);
      this.map.replaceChildren(svg);
    }

    // Marks what is in sight; where the drawing is not larger than that, there is no map.
    follow(isLarger) {
      this.map.hidden = !isLarger;
      if (!isLarger) return;
      const [seen, drawn] = [this.wrap.getBoundingClientRect(), this.svg.getBoundingClientRect()];
      const scale = this.size.width / drawn.width;
      const left = within((seen.left - drawn.left) * scale, this.size.width);
      const top = within((seen.top - drawn.top) * scale, this.size.height);
      const right = within((seen.right - drawn.left) * scale, this.size.width);
      const bottom = within((seen.bottom - drawn.top) * scale, this.size.height);
      set(this.window, { x: left, y: top, width: right - left, height: bottom - top });
    }

    jump(event) {
      if (event.button !== 0) return;
      event.preventDefault();
      this.map.setPointerCapture(event.pointerId);
      const go = (moved) => {
        const box = this.map.getBoundingClientRect();
        const drawn = this.svg.getBoundingClientRect();
        const inside = this.wrap.getBoundingClientRect();
        const x = ((moved.clientX - box.left) / box.width) * drawn.width;
        const y = ((moved.clientY - box.top) / box.height) * drawn.height;
        this.wrap.scrollLeft = x - inside.width / 2;
        this.wrap.scrollTop = y - inside.height / 2;
      };
      go(event);
      this.map.addEventListener("pointermove", go);
      this.map.addEventListener("lostpointercapture", () => this.map.removeEventListener("pointermove", go), { once: true });
    }
  };
})();
document.dispatchEvent(new Event("vizportal:minimap"));
