"""What is rendered: made-up data with a fixed seed, and for each case the marks its page must show.

The marks are computed here, from the rows and without the libraries that the visualizations use.
"""

from __future__ import annotations

import base64
import csv
import random
import re
import statistics
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from apps.visualizations.catalogue import registry

_SEED: Final = 20240611
_TABLE_ROWS: Final = 1_000
_SCORE_ROWS: Final = 5_000
_CLASSES: Final = ("bird", "cat", "dog")
_PICTURE: Final = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]{40,})")
_MATPLOTLIB: Final = """\
import matplotlib.pyplot as plt
import pandas as pd

frame = pd.read_csv(source)
figure, axes = plt.subplots(figsize=(8, 4.5))
axes.scatter(frame["x"], frame["y"], s=8)
axes.set_title("x and y")
plt.show()
"""
_DESCRIBE: Final = """\
import pandas as pd

pd.read_csv(source).describe()
"""


class WrongPageError(Exception):
    """A page lacks what its data says must be in it; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing to render.

    Attributes:
        type_key: the portal's type; "custom" comes with code of its own.
        check: raises WrongPageError for a page that lacks the marks.
    """

    name: str
    type_key: str
    code: str
    source: Path
    variables: dict[str, Any]
    check: Callable[[str], None]


def make_cases(directory: Path) -> list[Case]:
    """Writes the data below `directory` and returns the cases."""
    dice = random.Random(_SEED)
    return [
        _table(directory / "table.csv", dice),
        _roc_curve(directory / "scores.csv", dice),
        _confusion_matrix(directory / "predictions.csv", dice),
        *_custom(directory / "points.csv", dice),
    ]


def area_under_curve(truth: Sequence[bool], scores: Sequence[float]) -> float:
    """Returns the share of pairs (true, false) that the scores put in order, ties counted half."""
    rank, position = {}, 0
    for score, count in sorted(Counter(scores).items()):
        rank[score] = position + (count + 1) / 2
        position += count
    positives = sum(truth)
    total = sum(rank[score] for score, is_true in zip(scores, truth, strict=True) if is_true)
    return (total - positives * (positives + 1) / 2) / (positives * (len(truth) - positives))


def _table(path: Path, dice: random.Random) -> Case:
    rows = [(f"item-{n:04}", f"{dice.uniform(0, 1000):.4f}", dice.choice(_CLASSES)) for n in range(_TABLE_ROWS)]
    _write(path, ("name", "weight", "kind"), rows)
    known = [cell for row in (rows[0], rows[777], rows[-1]) for cell in row[:2]]
    return _predefined("table, 1,000 rows", "table", path, {}, _shows(*known))


def _roc_curve(path: Path, dice: random.Random) -> Case:
    truth = [dice.random() < 0.4 for _ in range(_SCORE_ROWS)]
    scores = [round(dice.gauss(0.6 if each else 0.45, 0.15), 6) for each in truth]
    _write(path, ("target", "score"), ((int(each), score) for each, score in zip(truth, scores, strict=True)))
    mark = f"AUC {area_under_curve(truth, scores):.4f}"
    return _predefined("ROC curve, 5,000 rows", "roc_curve", path, {}, _shows(mark, "<polyline"))


def _confusion_matrix(path: Path, dice: random.Random) -> Case:
    pairs = []
    for _ in range(_SCORE_ROWS):
        target = dice.choice(_CLASSES)
        pairs.append((target, target if dice.random() < 0.8 else dice.choice(_CLASSES)))
    _write(path, ("target", "predicted"), pairs)
    counts = [f">{count:,}<" for count in Counter(pairs).values()]
    right = sum(target == predicted for target, predicted in pairs) / len(pairs)
    return _predefined("confusion matrix", "confusion_matrix", path, {}, _shows(*counts, f"{right:.1%}"))


def _custom(path: Path, dice: random.Random) -> list[Case]:
    points = [(round(dice.gauss(10, 3), 5), round(dice.gauss(-4, 1), 5)) for _ in range(_TABLE_ROWS)]
    _write(path, ("x", "y"), points)
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


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def _shows(*marks: str) -> Callable[[str], None]:
    def check(page: str) -> None:
        missing = [mark for mark in marks if mark not in page]
        if missing:
            raise WrongPageError(f"The page lacks {', '.join(missing)}.")

    return check


def _shows_picture(page: str) -> None:
    # nbconvert's own style sheet has small pictures; the figure is the largest.
    encoded = max(_PICTURE.findall(page), key=len, default="")
    picture = base64.b64decode(encoded)
    width, height = struct.unpack(">II", picture[16:24]) if picture else (0, 0)
    # An empty figure of this size has about 3 kB.
    if width < 400 or height < 200 or len(picture) < 8_000:
        raise WrongPageError(f"The picture is {width} x {height} in {len(picture)} bytes: nothing was drawn.")
