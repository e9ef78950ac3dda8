// The Creator's form: drafts of code, the editor, and arguments as fields or as JSON.
(() => {
  const { editorScript } = document.currentScript.dataset;

  function loadEditor() {
    if (!document.querySelector("textarea[data-editor]") || document.querySelector("script[data-editor-bundle]")) return;
    const script = document.createElement("script");
    script.src = editorScript;
    script.dataset.editorBundle = "";
    document.head.append(script);
  }

  // Code that was typed but never sent survives a reload and a closed tab.
  const draftKey = (textarea) => `vizportal-draft:${textarea.dataset.draft}`;
  function restoreDrafts() {
    for (const textarea of document.querySelectorAll("textarea[data-draft]")) {
      const draft = localStorage.getItem(draftKey(textarea));
      const isUntouched = textarea.value === textarea.defaultValue && !new URLSearchParams(location.search).has("from");
      if (draft === null || draft === textarea.value || !isUntouched || textarea.matches("[aria-invalid]")) continue;
      textarea.value = draft;
      const note = textarea.form?.querySelector("[data-draft-note]");
      if (note) note.hidden = false;
    }
  }

  // Back to what the server sent; in the editor as one change, which can be undone.
  function dropDraft(form) {
    const textarea = form.querySelector("textarea[data-draft]");
    const view = form.querySelector(".editor")?.editor;
    const text = textarea.defaultValue;
    if (view) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    textarea.value = text;
    localStorage.removeItem(draftKey(textarea));
    form.querySelector("[data-draft-note]").hidden = true;
  }

  document.addEventListener("input", (event) => {
    if (event.target.matches("textarea[data-draft]")) localStorage.setItem(draftKey(event.target), event.target.value);
  });
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target.name === "arguments_view") {
      const holder = target.closest("[data-arguments]");
      if (target.value === "json") fillJson(holder);
      holder.dataset.view = target.value;
    }
  });

  // What was set in the fields is what the JSON begins with.
  function fillJson(holder) {
    const text = holder.querySelector("[data-arguments-json] textarea");
    let values;
    try { values = JSON.parse(text.value || "{}"); } catch { return; }
    for (const field of text.form.querySelectorAll(":is([data-arguments-set], [data-arguments-fields]) [name]")) {
      const name = field.name.replace(/^arguments-/, "");
      if (field.type === "checkbox") values[name] = field.checked;
      else if (field.value === "") delete values[name];
      else if (field.type === "number") values[name] = Number(field.value);
      else if (field.tagName === "TEXTAREA") values[name] = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
      else values[name] = field.value;
    }
    text.value = JSON.stringify(values, null, 2);
  }

  document.addEventListener("click", (event) => {
    const drop = event.target.closest("[data-drop-draft]");
    if (drop) dropDraft(drop.form ?? drop.closest("form"));
  });

  // Choosing a type swaps the form: the keyboard stays where it was.
  let focused = null;
  let unfolded = [];
  document.addEventListener("htmx:beforeSwap", () => {
    unfolded = [...document.querySelectorAll("[data-creator-form] [data-keep-open][open]")].map((each) => each.dataset.keepOpen);
    const active = document.activeElement;
    focused = active?.name ? `[name="${CSS.escape(active.name)}"]${active.type === "radio" ? `[value="${CSS.escape(active.value)}"]` : ""}` : null;
  });

  function settle() {
    restoreDrafts();
    loadEditor();
  }

  document.addEventListener("htmx:afterSettle", ({ detail: { target, requestConfig: config } }) => {
    settle();
    if (target?.matches("[data-creator-form]")) {
      for (const name of unfolded) document.querySelector(`[data-creator-form] [data-keep-open="${name}"]`)?.setAttribute("open", "");
    }
    if (focused && document.activeElement === document.body) document.querySelector(`[data-creator-form] ${focused}`)?.focus();
    if (config?.verb !== "post" || !target?.matches("[data-creator]")) return;
    showAnswer(target);
    htmx.trigger(document.body, "vizportal:rendered");
  });

  // After Generate: what is wrong with the form, else the new result, which stands below it.
  function showAnswer(holder) {
    const error = holder.querySelector("[data-creator-form] :is(.error, [role=alert])");
    (error ?? holder.querySelector(".render"))?.scrollIntoView({ block: error ? "nearest" : "start" });
  }

  settle();
})();
