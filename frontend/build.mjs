// Builds what is committed under static/vendor/: the editor bundle, htmx, the icons, and a manifest that says what is in them.
// The runtime of the charts goes to the toolkit, whose files results refer to.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { buildHtmx } from "./htmx.js";

const ICONS = `archive archive-restore ban box braces chart-column chart-line check chevron-down chevron-left chevron-right
circle-check circle-dashed circle-help circle-x clock code copy database download ellipsis external-link eye file-text filter
flask-conical folder git-branch git-compare grid-2x2 hourglass image info layers list loader-circle lock maximize-2 menu minus
moon move package pencil play plus refresh-cw repeat rotate-ccw scroll-text search settings share-2 skip-forward square sun table trash-2
triangle-alert unlink upload user workflow x zap`.split(/\s+/);

const out = "../static/vendor";
mkdirSync(out, { recursive: true });
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;

const bundle = (entry, outfile) => build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  legalComments: "none",
  metafile: true,
});
const charts = "../packages/vizkit/src/vizkit/static/vega-runtime.js";
const editor = await bundle("editor.js", `${out}/editor.js`);
const vega = await bundle("vega.js", charts);
writeFileSync(`${out}/htmx.js`, await buildHtmx("node_modules/htmx.org/dist/htmx.esm.js"));

const icons = {};
for (const name of ICONS) {
  const svg = readFileSync(`node_modules/lucide-static/icons/${name}.svg`, "utf8");
  icons[name] = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.indexOf("</svg>")).replace(/\s*\n\s*/g, "");
}
writeFileSync(`${out}/icons.json`, `${JSON.stringify(icons, null, 1)}\n`);

const bundled = (result) => [...new Set(Object.keys(result.metafile.inputs).filter((path) => path.startsWith("node_modules/")).map((path) => {
  const parts = path.split("/");
  return parts[1].startsWith("@") ? `${parts[1]}/${parts[2]}` : parts[1];
}))].sort();
const describe = (name) => ({ name, version: version(name), licence: JSON.parse(readFileSync(`node_modules/${name}/package.json`)).license });
const sha256 = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
writeFileSync(`${out}/manifest.json`, `${JSON.stringify({
  "editor.js": { sha256: sha256(`${out}/editor.js`), from: bundled(editor).map(describe) },
  "vega-runtime.js": { sha256: sha256(charts), from: bundled(vega).map(describe) },
  "htmx.js": { sha256: sha256(`${out}/htmx.js`), from: [describe("htmx.org")] },
  "icons.json": { sha256: sha256(`${out}/icons.json`), from: [describe("lucide-static")] },
}, null, 1)}\n`);
