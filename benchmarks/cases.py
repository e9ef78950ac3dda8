"""The benchmark's cases: synthetic data with a fixed seed, and for each case the marks that its page must contain.

The marks are computed here from the rows, without the libraries that the visualizations use. No table contains a
fraction, because Kubeflow's own type fails on them and answers 200.
"""

from __future__ import annotations

import base64
import csv
import gzip
import json
import random
import re
import statistics
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from vizkit.types import registry

_SEED: Final = 20240611
_CLASSES: Final = ("bird", "cat", "dog")
_POINTS: Final = 1_000
_PICTURE: Final = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]{40,})")
# bokeh's encoding of a column of numbers in a page.
_BOKEH_COLUMN: Final = re.compile(r'"tpr",\{"type":"ndarray","array":\{"type":"bytes","data":"([A-Za-z0-9+/=]+)"')
_PRINT: Final = "print(6 * 7, 'is what it says')"
_MATPLOTLIB: Final = """\
import matplotlib.pyplot as plt
import pandas as pd

frame = pd.read_csv(source)
figure, axes = plt.subplots(figsize=(8, 4.5))
axes.scatter(frame["x"], frame["y"], s=8)
axes.set_title("x and y")
plt.show()
"""
# pandas writes the HTML itself, because in Kubeflow's single kernel an earlier table changes how frames are shown.
_DESCRIBE: Final = """\
import pandas as pd
from IPython.display import HTML, display

display(HTML(pd.read_csv(source).describe().to_html()))
"""


class WrongPageError(Exception):
    """A page lacks something that its data requires; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case to render.

    Attributes:
        type_key: Kubeflow's and the portal's type; "custom" comes with its own code.
        code: the custom code, or the code of the portal's own type without its header.
        other_source: the same data in the form that the other server's type reads.
        check: raises WrongPageError for a page that lacks the marks.
    """

    name: str
    type_key: str
    code: str
    source: Path | None
    variables: dict[str, Any]
    check: Callable[[str], None]
    other_source: Path | None = None
    check_other: Callable[[str], None] | None = None

    def form(self, *, for_other: bool = False) -> bytes:
        """Returns the request as the form that Kubeflow's API server posts."""
        source = self.other_source if for_other and self.other_source else self.source
        custom = {"code": self.code.splitlines()} if self.type_key == "custom" else {}
        fields = {"type": self.type_key, "source": str(source or ""), "arguments": json.dumps(self.variables | custom)}
        return urlencode(fields).encode()

    def check_page(self, page: str, *, of_other: bool = False) -> None:
        """Raises WrongPageError for a page that lacks the marks."""
        check = self.check_other if of_other and self.check_other else self.check
        try:
            check(page)
        except WrongPageError as error:
            raise WrongPageError(f"{self.name}: {error}") from error


def make_cases(directory: Path) -> list[Case]:
    """Writes the data below `directory` and returns the cases."""
    dice = random.Random(_SEED)
    return [
        Case(
            name="test (print)", type_key="custom", code=_PRINT, source=None, variables={}, check=_shows("42 is what")
        ),
        _table(directory / "table.csv", 1_000, dice),
        _table(directory / "large.csv", 100_000, dice),
        _roc_curve(directory, dice),
        *_custom(directory / "points.csv", dice),
    ]


def _table(path: Path, count: int, dice: random.Random) -> Case:
    rows = [(f"item-{n:06}", dice.randrange(10**6), dice.choice(_CLASSES)) for n in range(count)]
    _write(path, rows, ("name", "amount", "kind"))
    known = [str(cell) for row in (rows[0], rows[count // 2 + 7], rows[-1]) for cell in row[:2]]
    # Kubeflow's type embeds all rows and has no such argument.
    return _predefined(f"table, {count:,} rows", "table", path, {"max_rows": count}, _shows(*known))


def _roc_curve(directory: Path, dice: random.Random) -> Case:
    """A computed curve: Kubeflow's type reads such a file without a header, the portal's with one."""
    fpr = sorted(round(dice.random(), 6) for _ in range(_POINTS))
    fpr[0], fpr[-1] = 0.0, 1.0
    tpr = [round(x**0.5, 6) for x in fpr]
    rows = [(x, y, round(1 - x, 6)) for x, y in zip(fpr, tpr, strict=True)]
    _write(directory / "roc.csv", rows, ("fpr", "tpr", "thresholds"))
    _write(directory / "roc-bare.csv", rows)
    return Case(
        name="ROC curve",
        type_key="roc_curve",
        code=registry.get("roc_curve").code,
        source=directory / "roc.csv",
        other_source=directory / "roc-bare.csv",
        variables={"is_generated": True},
        check=_shows(f"AUC {area_under_curve(fpr, tpr):.4f}", "vizkit-spec"),
        check_other=_shows_column(tpr),
    )


def area_under_curve(x: Sequence[float], y: Sequence[float]) -> float:
    """Returns the area by the trapezoidal rule."""
    return sum((x[n] - x[n - 1]) * (y[n] + y[n - 1]) / 2 for n in range(1, len(x)))


def _custom(path: Path, dice: random.Random) -> list[Case]:
    points = [(round(dice.gauss(10, 3), 5), round(dice.gauss(-4, 1), 5)) for _ in range(_POINTS)]
    _write(path, points, ("x", "y"))
    means = [f"{statistics.fmean(column):.6f}" for column in zip(*points, strict=True)]
    return [
        Case(name="matplotlib", type_key="custom", code=_MATPLOTLIB, source=path, variables={}, check=_shows_picture),
        Case(
            name="pandas describe", type_key="custom", code=_DESCRIBE, source=path, variables={}, check=_shows(*means)
        ),
    ]


def _predefined(name: str, key: str, path: Path, variables: dict[str, Any], check: Callable[[str], None]) -> Case:
    code = registry.get(key).code
    return Case(name=name, type_key=key, code=code, source=path, variables=variables, check=check)


def _write(path: Path, rows: Iterable[Sequence[object]], header: Sequence[str] = ()) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows] if header else rows)


def _shows(*marks: str) -> Callable[[str], None]:
    def check(page: str) -> None:
        missing = [mark for mark in marks if mark not in page]
        if missing:
            raise WrongPageError(f"The page lacks {', '.join(missing)}.")

    return check


def _shows_column(values: Sequence[float]) -> Callable[[str], None]:
    def check(page: str) -> None:
        found = _BOKEH_COLUMN.search(page)
        packed = gzip.decompress(base64.b64decode(found[1])) if found else b""
        numbers = struct.unpack(f"<{len(packed) // 8}d", packed[: len(packed) // 8 * 8])
        if list(numbers) != list(values):
            raise WrongPageError(f"The page's curve has {len(numbers)} points, not the {len(values)} of the file.")

    return check


def _shows_picture(page: str) -> None:
    # nbconvert's own style sheet has small images; the figure is the largest.
    encoded = max(_PICTURE.findall(page), key=len, default="")
    picture = base64.b64decode(encoded)
    width, height = struct.unpack(">II", picture[16:24]) if picture else (0, 0)
    # An empty figure of this size has about 3 kB.
    if width < 400 or height < 200 or len(picture) < 8_000:
        raise WrongPageError(f"The picture is {width} x {height} in {len(picture)} bytes: nothing was drawn.")
