"""Examples of tables, documents, cards and custom code, on data sets of plotly and scikit-learn."""

import json

import nbformat

from packages.vizkit.tests.independent import make

TIPS = "import plotly.express as px; tips = px.data.tips(); tips.to_csv('tips.csv', index=False); answer = None"
DIGITS = """
import io, polars as pl
from PIL import Image
from sklearn.datasets import load_digits
digits = load_digits()
def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray((255 - pixels * 15.9).astype("uint8")).resize((64, 64)).save(buffer, "PNG")
    return buffer.getvalue()
rows = [{"image": {"bytes": png(pixels), "path": None}, "label": int(label)}
    for pixels, label in list(zip(digits.images, digits.target))[:120]]
pl.DataFrame(rows).write_parquet("digits.parquet")
answer = None
"""
CHART = """
import altair as alt, plotly.express as px
chart = alt.Chart(px.data.tips()).mark_circle(size=50).encode(
    x="total_bill:Q", y="tip:Q", color="day:N", tooltip=["day:N", "total_bill:Q", "tip:Q"])
chart.properties(title="Tip by bill", width=560, height=300).interactive().save("tips.vl.json")
answer = None
"""
PAGE = """
import plotly.express as px
px.scatter(px.data.tips(), x="total_bill", y="tip", color="day", title="Tips", height=420).write_html(
    "tips.html", include_plotlyjs="cdn")
answer = None
"""
CARD = r"""# Model card: tips

A linear model of the tip by the bill.

| figure | training | evaluation |
| --- | --- | --- |
| rows | 195 | 49 |
| mean squared error | 1.02 | 0.98 |

The loss is $$L = \frac{1}{n} \sum_{i=1}^{n} (y_i - \beta_0 - \beta_1 x_i)^2$$

```python
model = LinearRegression().fit(bills, tips)
```

**Limits:** bills above 50 are rare.
"""


def tips(folder):
    make("base", TIPS, folder)
    return folder / "tips.csv", {}


def digits(folder):
    make("base", DIGITS, folder)
    return folder / "digits.parquet", {"size": 96}


def chart(folder):
    make("base", CHART, folder)
    return folder / "tips.vl.json", {}


def page(folder):
    make("base", PAGE, folder)
    return folder / "tips.html", {}


def card(folder):
    (folder / "card.md").write_text(CARD)
    return folder / "card.md", {}


def notebook(folder):
    cells = nbformat.v4
    made = cells.new_notebook(cells=[
        cells.new_markdown_cell("# Training\n\nThe step's log, with the loss $L$ after each epoch."),
        cells.new_code_cell(
            "for epoch in range(3):\n    print(f'epoch {epoch}: loss {train(model):.3f}')", execution_count=1,
            outputs=[cells.new_output(
                "stream", name="stdout", text="epoch 0: loss 0.693\nepoch 1: loss 0.412\nepoch 2: loss 0.287\n")]),
        cells.new_code_cell("metrics", execution_count=2, outputs=[cells.new_output(
            "execute_result", data={"text/plain": json.dumps({"accuracy": 0.94, "auc": 0.981})}, execution_count=2)]),
    ])  # fmt: skip
    (folder / "training.ipynb").write_text(nbformat.writes(made))
    return folder / "training.ipynb", {}


EXAMPLES = {
    "custom": tips,
    "data_profile": tips,
    "grid": digits,
    "html": page,
    "markdown": card,
    "notebook": notebook,
    "table": tips,
    "vega_lite": chart,
}
