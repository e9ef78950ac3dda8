// Parts of a page that are drawn again by themselves leave to people what they have in hand: the focus, what was
// typed, ticked or opened. What somebody asked for (a click, a submit) is drawn as the server says.
(() => {
  const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
  let held = null;

  // The same thing after the part was drawn anew: by its id, else by what it is within the nearest element with one.
  const isSaid = (element) => ["checkbox", "radio", "submit"].includes(element.type);
  function keyOf(element) {
    if (element.id) return `#${element.id}`;
    const place = element.parentElement?.closest("[id]")?.id ?? "";
    const said = element.matches("a, button, summary, details") ? (element.querySelector("summary") ?? element).textContent.trim() : "";
    const parts = [element.localName, element.getAttribute("name"), element.getAttribute("href"), isSaid(element) && element.value];
    return [place, ...parts, element.getAttribute("aria-label") ?? said].join("\n");
  }

  function byKey(selector) {
    const found = new Map();
    for (const each of document.querySelectorAll(selector)) {
      const key = keyOf(each);
      if (!found.has(key)) found.set(key, each);
    }
    return found;
  }

  const isTicked = (element) => ["checkbox", "radio"].includes(element.type);
  const isTouched = (element) =>
    !["hidden", "file"].includes(element.type) && (isTicked(element) ? element.checked !== element.defaultChecked : element.value !== element.defaultValue);

  function hold() {
    const active = document.activeElement;
    const fields = [...document.querySelectorAll("input, textarea")].filter(isTouched);
    held = {
      focus: active && active !== document.body ? { element: active, key: keyOf(active) } : null,
      fields: fields.map((each) => ({ key: keyOf(each), element: each })),
      // A preview was read from the store: it stays as it is, and is not read again.
      previews: [...document.querySelectorAll("details[data-preview][open] > [id]")],
      open: [...document.querySelectorAll("details")].map((each) => ({ key: keyOf(each), isOpen: each.open, element: each })),
    };
  }

  function giveBack() {
    const { focus, fields, open, previews } = held;
    held = null;
    const gone = ({ element }) => !element.isConnected;
    const details = open.some(gone) && byKey("details");
    for (const { key, isOpen } of open.filter(gone)) if (details.has(key)) details.get(key).open = isOpen;
    for (const preview of previews) {
      const now = document.getElementById(preview.id);
      if (now && now !== preview && !preview.isConnected) now.replaceWith(preview);
    }
    const inputs = fields.some(gone) && byKey("input, textarea");
    for (const { key, element } of fields.filter(gone)) {
      const now = inputs.get(key);
      if (now && isTicked(now)) now.checked = element.checked;
      else if (now) now.value = element.value;
      if (now) now.indeterminate = element.indeterminate;
    }
    if (!focus || !gone(focus)) return;
    const now = byKey(FOCUSABLE).get(focus.key);
    if (!now) return;
    if (document.activeElement !== now) now.focus({ preventScroll: true });
    if (["text", "search", "textarea"].includes(now.type)) now.setSelectionRange(focus.element.selectionStart, focus.element.selectionEnd);
  }

  // A refresh has no event (a timer), or one that no person made.
  document.addEventListener("htmx:beforeSwap", (event) => {
    held = null;
    if (event.detail.shouldSwap && !event.detail.requestConfig?.triggeringEvent?.isTrusted) hold();
  });
  document.addEventListener("htmx:afterSwap", () => { if (held) giveBack(); });
})();
