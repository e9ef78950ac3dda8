// What the figures of results need of Vega and Vega-Lite (packages/vizkit/src/vizkit/static/figure.js).
import { View, logger, parse } from "vega";
import { compile } from "vega-lite";

// Several figures' scripts may load it.
globalThis.vizkitVega ??= { View, logger, parse, compile };
