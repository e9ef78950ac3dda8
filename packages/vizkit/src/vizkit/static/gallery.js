// Cards of pictures and texts: searched, filtered by label, a page at a time. Pictures are made when they are shown.
(() => {
  const format = new Intl.NumberFormat("en");
  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) { if (key in made) made[key] = value; else made.setAttribute(key, value); }
    made.append(...children);
    return made;
  };

  const mount = (root) => {
    const holder = root.querySelector(":scope > script[type='application/json']");
    if (!holder || root.dataset.mounted) return;
    root.dataset.mounted = "yes";
    const { cards, total, side } = JSON.parse(holder.textContent);
    const labels = [...new Set(cards.map((card) => card.label).filter(Boolean))].sort(new Intl.Collator("en", { numeric: true }).compare);
    const words = cards.map((card) => [card.caption, card.label, card.text, ...(card.facts ?? []).map((fact) => fact[1])].filter(Boolean).join("\n").toLowerCase());
    const search = element("input", { type: "search", placeholder: "Search", ariaLabel: "Search the examples" });
    const label = element("select", { ariaLabel: "Label" }, element("option", { value: "" }, "All labels"), ...labels.map((each) => element("option", { value: each }, each)));
    const status = element("span", { role: "status" }), where = element("span", { className: "vk-gallery-where" });
    const back = element("button", { type: "button" }, "Previous"), on = element("button", { type: "button" }, "Next");
    const size = element("select", { ariaLabel: "Examples a page" }, ...[24, 60, 120].map((each) => element("option", { value: each, selected: each === 60 }, `${each} a page`)));
    const list = element("ul", { className: "vk-gallery-cards" });
    // Text needs more room than a picture of a digit.
    list.style.setProperty("--side", `${cards.some((card) => card.src) ? side : Math.max(side, 280)}px`);
    let shown = cards.map((_, index) => index), page = 0;

    const make = (index) => {
      const card = cards[index], said = card.caption || card.label || card.text?.slice(0, 80) || `Example ${index + 1}`;
      const made = element("li");
      if (card.src) {
        const image = element("img", { src: card.src, alt: `Picture: ${said}`, decoding: "async" });
        // A picture of a few pixels is enlarged as what it is.
        image.addEventListener("load", () => { if (image.naturalWidth < side / 2) { image.style.width = "100%"; image.style.imageRendering = "pixelated"; } });
        made.append(element("div", { className: "vk-gallery-picture" }, image));
      }
      if (card.text) made.append(element("p", { className: "vk-gallery-text", tabIndex: card.text.length > 300 ? 0 : -1 }, card.text));
      if (card.missing) made.append(element("p", { className: "vk-muted" }, "Cannot be shown."));
      if (card.label) made.append(element("p", { className: "vk-gallery-label" }, card.label));
      if (card.caption) made.append(element("p", { className: "vk-muted" }, card.caption));
      if (card.size) made.append(element("p", { className: "vk-muted" }, `${card.size} pixels`));
      if (card.facts) made.append(element("dl", { className: "vk-facts" }, ...card.facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])));
      return made;
    };

    const draw = () => {
      const each = Number(size.value), first = page * each, last = Math.min(shown.length, first + each);
      list.replaceChildren(...shown.slice(first, last).map(make));
      where.textContent = shown.length ? `${format.format(first + 1)}–${format.format(last)}` : "";
      const parts = [shown.length === cards.length ? `${format.format(total)} ${total === 1 ? "example" : "examples"}` : `${format.format(shown.length)} of ${format.format(cards.length)} examples`];
      if (cards.length < total) parts.push(`the first ${format.format(cards.length)} are shown`);
      status.textContent = shown.length ? parts.join(", ") : "No example matches.";
      back.disabled = page === 0;
      on.disabled = last >= shown.length;
    };
    const select = () => {
      const text = search.value.trim().toLowerCase();
      shown = cards.map((_, index) => index).filter((index) => (!label.value || cards[index].label === label.value) && words[index].includes(text));
      page = 0;
      draw();
    };
    search.addEventListener("input", select);
    label.addEventListener("change", select);
    size.addEventListener("change", () => { page = 0; draw(); });
    back.addEventListener("click", () => { page -= 1; draw(); });
    on.addEventListener("click", () => { page += 1; draw(); });
    label.hidden = labels.length < 2;
    search.hidden = cards.length < 2 || !words.some(Boolean);
    if (cards.length <= 24) [where, back, on, size].forEach((each) => { each.hidden = true; });
    root.replaceChildren(element("div", { className: "vk-gallery-bar" }, search, label, status, where, back, on, size), list);
    draw();
  };
  const start = () => document.querySelectorAll("[data-vizkit=gallery]").forEach(mount);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start, { once: true });
  else start();
})();
