"""Write saved results in the form in which the portal passes them to a comparison: a folder of named notebooks."""

import base64
import io
import json
import struct
import zlib

from vizkit import tables
from vizkit.charts import Axis, Chart, Series, draw


def notebook(*bundles):
    """Returns a notebook with one output for each bundle. A plain text becomes printed output."""
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": bundle}
        if isinstance(bundle, str)
        else {"output_type": "display_data", "data": bundle, "metadata": {}}
        for bundle in bundles
    ]
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": "", "outputs": outputs}
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def save(folder, *results):
    """Writes results: each is a label, key figures (name: value, better) and a notebook or None."""
    facts = []
    for number, (label, figures, book) in enumerate(results, 1):
        name = f"{number:03}.ipynb" if book else ""
        if book:
            (folder / name).write_text(json.dumps(book))
        said = [{"name": key, "value": value, "unit": "", "better": better} for key, (value, better) in figures.items()]
        facts.append({"label": label, "file": name, "figures": said})
    (folder / "results.json").write_text(json.dumps(facts))
    return folder


def curve(points, title="ROC curve", name="score"):
    """Returns the output of a chart with one curve."""
    axes = {"x": Axis(title="False positive rate", low=0, high=1), "y": Axis(title="True positive rate", low=0, high=1)}
    x, y = zip(*points, strict=True)
    return {"text/html": draw(Chart(title=title, series=[Series(name=name, x=x, y=y)], is_square=True, **axes))}


def grid(names, rows, total=None):
    """Returns the output of the type Table."""
    return {"text/html": tables.table(names, rows, total=total)}


def picture(red):
    """Returns a PNG of 4 by 4 pixels of one colour."""
    lines = b"".join(b"\0" + bytes([red, 90, 160]) * 4 for _ in range(4))
    made = io.BytesIO(b"")
    made.write(b"\x89PNG\r\n\x1a\n")
    header = struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)
    for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")):
        made.write(struct.pack(">I", len(content)) + kind + content)
        made.write(struct.pack(">I", zlib.crc32(kind + content)))
    return {"image/png": base64.b64encode(made.getvalue()).decode()}


def comparison(folder):
    """Returns two results that differ in everything that is compared."""
    names = ["id", "city", "fare"]
    books = [
        notebook(
            curve([(0, 0), (0.2, 0.6 + shift), (1, 1)]),
            grid(names, [["1", "Oslo", "10"], ["2", "Rome", fare]]),
            picture(40 if shift else 200),
            f"epoch 1\nloss {fare}\n",
        )
        for shift, fare in ((0, "20"), (0.1, "25"))
    ]
    figures = [{"auc": (value, "higher"), "rows": (2.0, "none")} for value in (0.71, 0.76)]
    labels = ("ROC curve, Monday", "ROC curve, Tuesday")
    return save(folder, *zip(labels, figures, books, strict=True))


EXAMPLES = {"comparison": lambda folder: (comparison(folder), {})}
