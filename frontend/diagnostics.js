// The line of custom code that failed, underlined with the words of why, until it is changed.
import { setDiagnostics } from "@codemirror/lint";

export function underline(view, number, message, text) {
  if (!(number >= 1 && number <= view.state.doc.lines)) return false;
  const line = view.state.doc.line(number);
  // What failed may have been changed since: another line is not to blame.
  if (text !== undefined && line.text !== text) return false;
  const start = line.from + (line.text.length - line.text.trimStart().length);
  view.dispatch(setDiagnostics(view.state, [{ from: Math.min(start, line.to), to: line.to, severity: "error", message }]));
  return true;
}

export const clear = (view) => view.dispatch(setDiagnostics(view.state, []));
