// The Python editor of custom visualizations: turns a <textarea data-editor> into CodeMirror and keeps the two in step.
// It lives in a shadow root, where CodeMirror styles itself by adoptedStyleSheets, which the portal's CSP allows.
import { basicSetup, EditorView } from "codemirror";
import { python, pythonLanguage } from "@codemirror/lang-python";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";
import { completeFor } from "./completion.js";
import { clear, underline } from "./diagnostics.js";

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.definition(tags.variableName)], color: "var(--code-name)" },
]);

const look = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--surface)", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-content": { caretColor: "var(--text)", fontFamily: "var(--font-mono)", minHeight: "9em" },
  ".cm-scroller": { maxHeight: "32em", overflow: "auto" },
  ".cm-gutters": { backgroundColor: "var(--surface-sunken)", color: "var(--text-muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--surface-hover)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft) !important" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--text)", border: "1px solid var(--border)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
});

// Typing over a selection is done here and not by the browser: Chromium, joining the lines that are left, adds a style
// attribute, which the CSP refuses with an error in the console. Extensions (closing brackets) are asked first, as usual.
function typeOverSelection(event, view) {
  const { from, to, empty } = view.state.selection.main;
  if (empty || view.composing || event.inputType !== "insertText" || event.data === null) return false;
  event.preventDefault();
  const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, event.data, insert))) view.dispatch(insert());
  return true;
}

function mount(textarea) {
  const host = document.createElement("div");
  host.className = "editor";
  textarea.after(host);
  const root = host.attachShadow({ mode: "open" });
  const label = textarea.labels?.[0]?.textContent?.trim() || "Python code";
  const view = new EditorView({
    doc: textarea.value,
    root,
    parent: root,
    extensions: [
      basicSetup,
      python(),
      pythonLanguage.data.of({ autocomplete: completeFor(textarea) }),
      indentUnit.of("    "),
      syntaxHighlighting(colours),
      look,
      EditorView.domEventHandlers({ beforeinput: typeOverSelection }),
      EditorView.contentAttributes.of({ "aria-label": label, "data-editor-content": "" }),
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        textarea.value = update.state.doc.toString();
        textarea.dispatchEvent(new Event("input", { bubbles: true }));
      }),
    ],
  });
  textarea.hidden = true;
  textarea.required = false;
  host.editor = view;
  const { failedLine, failedMessage } = textarea.dataset;
  if (failedLine) underline(view, Number(failedLine), failedMessage);
  for (const each of textarea.form?.querySelectorAll("[data-needs-editor]") ?? []) each.hidden = false;
}

// A result that failed stands below the form it came from.
function showFailures(scope) {
  for (const failed of scope.querySelectorAll("pre[data-failed-line]")) {
    const view = failed.closest("[data-creator]")?.querySelector(".editor")?.editor;
    const { failedLine, failedMessage, failedText } = failed.dataset;
    if (view && underline(view, Number(failedLine), failedMessage, failedText)) return;
  }
}

// Another code to begin with, as one change: undoing it brings back what was there.
document.addEventListener("change", async (event) => {
  const select = event.target.closest?.("[data-start-from]");
  if (!select?.value) return;
  const view = select.form.querySelector(".editor")?.editor;
  const answer = await fetch(select.value);
  select.value = "";
  if (!view || !answer.ok) return;
  clear(view);
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: await answer.text() }, userEvent: "input.replace" });
  view.focus();
});

export function mountAll(scope = document) {
  for (const textarea of scope.querySelectorAll("textarea[data-editor]:not([hidden])")) mount(textarea);
}

function settle(scope) {
  mountAll(scope);
  showFailures(document);
}

settle(document);
document.addEventListener("htmx:afterSettle", (event) => settle(event.target));
