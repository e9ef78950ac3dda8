// Completion of custom code: the names a render gives it, its environment's packages, and the artifact's columns.
// The words are asked for once an artifact or an environment, and only when somebody begins to type.
import { snippetCompletion } from "@codemirror/autocomplete";

const GIVEN = [
  { label: "source", type: "variable", detail: "path of the artifact", boost: 3 },
  { label: "source_uri", type: "variable", detail: "where it came from", boost: 2 },
  { label: "variables", type: "variable", detail: "the arguments", boost: 3 },
  { label: "display", type: "function", detail: "show a value", boost: 1 },
  snippetCompletion('pd.read_csv(source)', { label: "pd.read_csv", type: "function", detail: "the artifact as a table" }),
  snippetCompletion('pl.scan_csv(source)', { label: "pl.scan_csv", type: "function", detail: "the artifact, lazily" }),
];
const known = new Map();

// { columns, packages }; empty where nobody knows.
function wordsFor(textarea) {
  const form = textarea.form;
  const url = new URL(textarea.dataset.words, location.href);
  for (const name of ["artifact", "environment"]) url.searchParams.set(name, form?.elements[name]?.value ?? "");
  if (!known.has(url.href)) {
    known.set(url.href, fetch(url, { headers: { Accept: "application/json" } })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))))
      .catch(() => { known.delete(url.href); return { columns: [], packages: [] }; }));
  }
  return known.get(url.href);
}

// The arguments as they are set in the form, fields or JSON.
function argumentNames(textarea) {
  const form = textarea.form;
  if (!form) return [];
  const names = [...form.querySelectorAll("[name^='arguments-']")].map((field) => field.name.replace("arguments-", ""));
  try { names.push(...Object.keys(JSON.parse(form.elements.arguments_json?.value || "{}"))); } catch { /* half typed */ }
  return [...new Set(names)];
}

const options = (labels, type, detail) => labels.map((label) => ({ label, type, detail }));

export const completeFor = (textarea) => async (context) => {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const inString = /(?:^|[^\\\w])[rbfu]*(["'])((?:(?!\1).)*)$/.exec(before);
  if (inString) {
    const isArgument = /variables\s*(?:\[|\.get\()\s*["'][^"']*$/.test(before);
    const isColumn = /[\[(,=]\s*["'][^"']*$/.test(before);
    if (!isArgument && !isColumn) return null;
    const found = isArgument
      ? options(argumentNames(textarea), "property", "argument")
      : options((await wordsFor(textarea)).columns, "property", "column");
    return found.length ? { from: context.pos - inString[2].length, options: found, validFor: /^[^"']*$/ } : null;
  }
  const word = context.matchBefore(/[\w.]+/);
  if (/^\s*(?:import|from)\s+[\w.]*$/.test(before)) {
    const { packages } = await wordsFor(textarea);
    return { from: word?.from ?? context.pos, options: options(packages, "namespace", "package"), validFor: /^\w*$/ };
  }
  if (!word && !context.explicit) return null;
  return { from: word?.from ?? context.pos, options: GIVEN, validFor: /^[\w.]*$/ };
};
