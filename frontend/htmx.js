// htmx without what this portal does not use, so that every page is shorter by a quarter of htmx. What the page's
// configuration switches off (eval, scripts, the cache of pages) cannot be switched on again in this bundle.
import { readFileSync } from "node:fs";
import { minify } from "terser";

// What takes a function's place. The attributes and calls that end here are named in tests/portal/test_page_scripts.py.
const REPLACED = {
  addHxOnEventHandler: "{}",
  boostElement: "{}",
  canAccessLocalStorage: "{ return false }",
  findAndSwapPartials: "{ return false }",
  findHxOnWildcardElements: "{ return [] }",
  deInitOnHandlers: "{}",
  filterValues: "{ return inputValues }",
  formDataProxy: "{ return formData }",
  getCachedHistory: "{ return null }",
  getExpressionVars: "{ return {} }",
  getExtensions: "{ return [] }",
  handleTriggerHeader: "{}",
  ignoreBoostedAnchorCtrlClick: "{ return false }",
  initScrollHandler: "{}",
  insertIndicatorStyles: "{}",
  internalEval: "{}",
  isInlineSwap: "{ return swapStyle === 'outerHTML' }",
  maybeEval: "{ return defaultVal }",
  maybeFilterEvent: "{ return false }",
  maybeGenerateConditional: "{}",
  maybeReveal: "{}",
  normalizeScriptTags: "{ fragment.querySelectorAll('script').forEach((script) => script.remove()) }",
  processHxOnWildcard: "{}",
  saveToHistoryCache: "{}",
  updateScrollState: "{}",
  withExtensions: "{}",
};
const KEPT_CALLS = ["ajax", "process", "trigger"];

function cut(source, what, pattern, replacement) {
  if (!pattern.test(source)) throw new Error(`htmx has changed: ${what} is not where it was`);
  return source.replace(pattern, replacement);
}

export async function buildHtmx(path) {
  let source = readFileSync(path, "utf8");
  for (const [name, body] of Object.entries(REPLACED)) {
    source = cut(source, name, new RegExp(`^  function ${name}\\(([^)]*)\\) \\{\\n[\\s\\S]*?\\n  \\}$`, "m"), `  function ${name}($1) ${body}`);
  }
  source = cut(source, "internalAPI", /^ {2}const internalAPI = \{[\s\S]*?\n {2}\}$/m, "");
  source = cut(source, "defineExtension", /extension\.init\(internalAPI\)/, "");
  source = cut(source, "HX_ON_QUERY", /^ {2}const HX_ON_QUERY = [\s\S]*?'\)\n/m, "");
  source = source.replace(/^ {2}htmx\.(\w+) = \w+$/gm, (line, name) => (KEPT_CALLS.includes(name) ? line : ""));
  source = cut(source, "the export", /^export default htmx$/m, "");
  const { code } = await minify(source, {
    ecma: 2020, compress: { passes: 3, ecma: 2020, hoist_props: true, toplevel: false }, mangle: true, format: { comments: false },
  });
  return `${code}\n`;
}
