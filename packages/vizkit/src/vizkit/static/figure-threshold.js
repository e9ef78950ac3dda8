// A threshold on a curve of a classifier: what is right and wrong at it, and what that costs.
vizkit.threshold = (() => {
  const { node } = vizkit;
  const FIGURES = [["Precision", "precision"], ["Recall", "recall"], ["F1", "f1"], ["Accuracy", "accuracy"], ["Balanced accuracy", "balanced"], ["MCC", "mcc"]];
  const count = (value) => Number.isInteger(Math.round(value * 1e6) / 1e6) ? Math.round(value).toLocaleString("en") : value.toLocaleString("en", { maximumSignificantDigits: 5 });
  const share = (value) => Number.isFinite(value) ? value.toFixed(4) : "–";

  // Of a ROC curve x is the false positive rate and y the recall; of the other x is the recall and y the precision.
  function counts(row, { kind, trues, falses }) {
    const right = (kind === "roc" ? row.y : row.x) * trues;
    const wrong = kind === "roc" ? row.x * falses : row.y > 0 ? right * (1 - row.y) / row.y : 0;
    return { right, wrong, missed: trues - right, spared: falses - wrong };
  }
  function figures({ right, wrong, missed, spared }) {
    const precision = right / (right + wrong), recall = right / (right + missed), spread = (right + wrong) * (right + missed) * (spared + wrong) * (spared + missed);
    return {
      precision, recall, f1: 2 * right / (2 * right + wrong + missed), accuracy: (right + spared) / (right + wrong + missed + spared),
      balanced: (recall + spared / (spared + wrong)) / 2, mcc: spread > 0 ? (right * spared - wrong * missed) / Math.sqrt(spread) : 0,
    };
  }

  // `mark` shows the chosen point in the drawing.
  function attach(root, rows, rates, first, say, mark) {
    const named = (text, input) => node("label", {}, text, input);
    const range = node("input", { type: "range", min: 0, max: rows.length - 1, step: 1, value: first });
    const cost = (text) => { const input = node("input", { type: "number", min: 0, step: "any", value: 1 }); input.addEventListener("input", show); return [input, named(text, input)]; };
    const [ofWrong, wrongLabel] = cost("Cost of a false positive"), [ofMissed, missedLabel] = cost("of a false negative");
    const at = node("output"), body = node("tbody"), list = node("dl", { class: "vk-facts" });
    function show() {
      const row = rows[range.value], found = counts(row, rates), total = Number(ofWrong.value) * found.wrong + Number(ofMissed.value) * found.missed;
      at.textContent = say(row.threshold, "threshold");
      range.setAttribute("aria-valuetext", `threshold ${at.textContent}`);
      body.replaceChildren(...[["Positive", found.right, found.missed], ["Negative", found.wrong, found.spared]].map(([name, yes, no]) => node("tr", {}, node("th", { scope: "row" }, name), node("td", {}, count(yes)), node("td", {}, count(no)))));
      const values = figures(found);
      list.replaceChildren(...[...FIGURES.map(([name, key]) => [name, share(values[key])]), ["Cost", count(total)]].flatMap(([name, value]) => [node("dt", {}, name), node("dd", {}, value)]));
      mark(row);
    }
    range.addEventListener("input", show);
    const table = node("table", { class: "vk-table vk-numbers" }, node("caption", {}, "Rows at this threshold"), node("thead", {}, node("tr", {}, node("th", { scope: "col" }, "Actual"), node("th", { scope: "col" }, "Predicted positive"), node("th", { scope: "col" }, "Predicted negative"))), body);
    root.append(node("div", { class: "vk-threshold", role: "group", "aria-label": "Threshold" }, node("div", { class: "vk-tools" }, node("label", {}, "Threshold", range, at), wrongLabel, missedLabel), table, list));
    show();
    return show;
  }

  return { attach };
})();
