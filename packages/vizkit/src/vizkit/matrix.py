"""Confusion matrices: cells with counts, or a map if there are too many classes for text; figures by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np

from . import drawings, html, scores

Normalize = Literal["none", "true", "predicted", "all"]

# Matrices with more classes are drawn as a map without text.
MAX_TABLE: Final = 30
_MAX_CELLS: Final = 30_000
_TOP: Final = 50


def shares(counts: Any, how: Normalize) -> Any:
    """Returns shares of each true class (row), predicted class (column), or of all; 0 if the total is 0."""
    total = {
        "true": counts.sum(axis=1, keepdims=True),
        "predicted": counts.sum(axis=0, keepdims=True),
        "all": counts.sum(keepdims=True),
        "none": np.ones((1, 1)),
    }[how]
    return np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)


def draw(
    labels: Sequence[str], counts: Any, *, how: Normalize = "none", name: str = "", are_shares: bool = False
) -> str:
    """Returns the matrix, the most frequent confusions, and figures by class.

    Args:
        labels: of the classes.
        counts: a square array with the true classes as rows.
        how: which shares to show.
        name: of the slice, if there are several matrices.
        are_shares: whether the counts are shares, of an unknown number of rows.
    """
    labels = _told_apart(labels)
    found = scores.by_class(counts)
    called = f"Confusion matrix{f' of {name}' if name else ''}"
    confusions = _confusions(labels, counts, name) if len(labels) > 2 else ""
    parts = (
        _summary(found, counts, are_shares=are_shares),
        f'<div class="vk-figures">{drawings.figure(specification(labels, counts, how, called))}</div>',
        f'<div class="vk-tables">{confusions}{_classes(labels, found, name)}</div>',
    )
    return drawings.component("".join(parts))


def _told_apart(labels: Sequence[str]) -> list[str]:
    """Returns unique labels that are not empty, because the axes identify classes by them."""
    named: list[str] = []
    for label in labels:
        shown, number = label or "(empty)", 1
        while shown in named:
            number += 1
            shown = f"{label or '(empty)'} ({number})"
        named.append(shown)
    return named


def _summary(found: scores.ByClass, counts: Any, *, are_shares: bool) -> str:
    """Returns accuracy, with figures next to it that do not hide rare classes."""
    rows = "shares" if are_shares else f"{count_text(float(found.support.sum()))} rows"
    f1 = np.nan_to_num(found.f1).mean()
    said = f"accuracy over {rows} of {len(counts):,} classes, macro F1 {f1:.4f}"
    largest = found.support.max() / found.support.sum()
    beside = html.facts(
        {
            "Balanced accuracy": f"{balanced_accuracy(found):.4f}",
            "Matthews correlation (MCC)": f"{matthews(counts):.4f}",
            "Most frequent class": f"{largest:.1%} of the rows, the accuracy of always predicting it",
        }
    )
    return f'<p class="vk-sum"><b>{found.accuracy:.1%}</b> {said}</p>{beside}'


def balanced_accuracy(found: scores.ByClass) -> float:
    """Returns the mean recall of the classes that have rows."""
    return float(found.recall[found.support > 0].mean())


def matthews(counts: Any) -> float:
    """Returns Matthews' correlation of truth and prediction for any number of classes; 0 if it is undefined."""
    total, right = counts.sum(), np.trace(counts)
    truth, predicted = counts.sum(axis=1), counts.sum(axis=0)
    spread = (total**2 - (truth**2).sum()) * (total**2 - (predicted**2).sum())
    return float((right * total - (truth * predicted).sum()) / np.sqrt(spread)) if spread > 0 else 0.0


def count_text(value: float) -> str:
    """Formats a count for people; weighted counts may be fractions."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.1%}"


def _sparse(counts: Any) -> tuple[Any, Any]:
    """Returns rows and columns of the non-empty cells, the greatest first, up to the limit of a page."""
    at = np.nonzero(counts)
    order = np.argsort(-counts[at], kind="stable")[:_MAX_CELLS]
    return at[0][order], at[1][order]


def specification(labels: Sequence[str], counts: Any, how: Normalize, called: str) -> dict[str, Any]:
    """Returns the Vega-Lite specification of a matrix: a cell for each pair, darker for a greater share.

    With more than 30 classes, it contains only non-empty cells, without text.
    """
    is_read = len(labels) <= MAX_TABLE
    shown = "true" if how == "none" else how
    title = {"true": "of the true class", "predicted": "of the predicted class", "all": "of all rows"}[shown]
    side = {
        "type": "nominal",
        "sort": None,
        "scale": {"domain": list(labels)},
        "axis": {"labelLimit": 110},
    }
    angle = 0 if len(labels) <= 12 and max(map(len, labels)) <= 6 else -45
    words = [("rows", 0 if how == "none" else -7, ",.4~g"), *([("share", 8, ".1%")] if how != "none" else [])]
    return {
        "$schema": drawings.SCHEMA,
        "description": f"{called}: {len(labels):,} classes; the tables below list the numbers",
        "title": {"text": called, "subtitle": [f"Darker: a larger share {title}"]},
        "width": min(560, 90 * len(labels)),
        "height": {"step": 34 if how == "none" else 42} if is_read else 520,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": drawings.config(),
        "view": {"fill": drawings.SUNKEN},
        "data": {"name": "cells", "values": _cells(labels, counts, shown, is_read=is_read)},
        "encoding": {
            "x": {"field": "predicted", **side, "axis": {"labelLimit": 110, "labelAngle": angle}, "title": "Predicted"},
            "y": {"field": "true", **side, "title": "True"},
        },
        "layer": [_rect(counts, shown, is_read=is_read), *([_cell_words(*each) for each in words] if is_read else [])],
        "usermeta": {
            "vizkit": {
                "near": "cell",
                "x": "predicted",
                "y": "true",
                "max_width": 90 * len(labels) + 150 if is_read else 640,
                "fields": [
                    {"field": name, "title": said, "kind": kind}
                    for name, said, kind in (
                        ("true", "True", "text"),
                        ("predicted", "Predicted", "text"),
                        ("rows", "Rows", "number"),
                        ("share", f"Share {title}", "percent"),
                    )
                ],
            }
        },
    }


def _cells(labels: Sequence[str], counts: Any, shown: Normalize, *, is_read: bool) -> list[dict[str, Any]]:
    of = shares(counts, shown)
    rows, columns = np.indices(counts.shape).reshape(2, -1) if is_read else _sparse(counts)
    return [
        {"true": labels[i], "predicted": labels[j], "rows": float(counts[i, j]), "share": round(float(of[i, j]), 6)}
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
    ]


def _rect(counts: Any, shown: Normalize, *, is_read: bool) -> dict[str, Any]:
    # If shares are of all rows, no cell may have a large one; then the greatest is the darkest.
    most = max(float(shares(counts, shown).max()), 1e-12) if shown == "all" else 1
    # Text on cells is readable on every shade. Without text, 1 % is visible, and 50 % and 60 % are distinguishable.
    scale = (
        {"domain": [0, most], "range": [0.02, 0.5]}
        if is_read
        else {"type": "sqrt", "domain": [0, most], "range": [0, 1]}
    )
    right = {"condition": {"test": "datum.true == datum.predicted", "value": 1.5}, "value": 0}
    return {
        "mark": {"type": "rect", "color": drawings.PALETTE[0], "stroke": drawings.PALETTE[0]},
        "encoding": {
            "fillOpacity": {"field": "share", "type": "quantitative", "scale": scale, "legend": None},
            "strokeWidth": right if is_read else {"value": 0},
        },
    }


def _cell_words(field: str, dy: int, form: str) -> dict[str, Any]:
    mark = {"type": "text", "dy": dy, "color": drawings.TEXT, "fontSize": 12 if field == "rows" else 11}
    return {"mark": mark, "encoding": {"text": {"field": field, "type": "quantitative", "format": form}}}


def _confusions(labels: Sequence[str], counts: Any, name: str) -> str:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    rows, columns = _sparse(wrong)
    if not len(rows):
        return ""
    of_class = shares(counts, "true")
    lines = [
        (labels[i], labels[j], count_text(counts[i, j]), f"{of_class[i, j]:.1%}")
        for i, j in zip(rows[:_TOP].tolist(), columns[:_TOP].tolist(), strict=True)
    ]
    shown = f"Most frequent confusions{f' of {name}' if name else ''}"
    return html.table(["True", "Predicted", "Rows", "of the true class"], lines, caption=shown)


def _classes(labels: Sequence[str], found: scores.ByClass, name: str) -> str:
    columns = (found.precision, found.recall, found.f1)
    lines: list[Sequence[Any]] = [
        (label, *(_percent(column[at]) for column in columns), count_text(found.support[at]))
        for at, label in enumerate(labels)
    ]
    # Undefined figures count as zero, as in scikit-learn.
    known = [np.nan_to_num(column) for column in columns]
    total = found.support.sum()
    weighted = [float((column * found.support).sum() / total) for column in known]
    lines.append(("Macro average", *(f"{column.mean():.1%}" for column in known), count_text(total)))
    lines.append(("Weighted average", *(f"{value:.1%}" for value in weighted), count_text(total)))
    caption = f"Figures by class{f' of {name}' if name else ''}"
    return html.table(["Class", "Precision", "Recall", "F1", "Rows"], lines, caption=caption)
