"""Confusion matrices: a table of counts where it can be read, a map where classes are too many for words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np

from . import html, scores

Normalize = Literal["none", "true", "predicted", "all"]

# More columns than these are a map.
MAX_TABLE: Final = 30
_MAX_CELLS: Final = 30_000
_LEVELS: Final = 8
_TOP: Final = 50


def shares(counts: Any, how: Normalize) -> Any:
    """Returns shares of each true class (row), predicted class (column), or of all; 0 where the total is 0."""
    total = {
        "true": counts.sum(axis=1, keepdims=True),
        "predicted": counts.sum(axis=0, keepdims=True),
        "all": counts.sum(keepdims=True),
        "none": np.ones((1, 1)),
    }[how]
    return np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)


def draw(labels: Sequence[str], counts: Any, *, how: Normalize = "none", name: str = "") -> str:
    """Returns the matrix, the most frequent confusions, and figures by class.

    Args:
        counts: a square array, its rows the truth.
        name: of the slice, where there are several matrices.
    """
    labels = [label or "(empty)" for label in labels]
    figures = scores.by_class(counts)
    kind = _table if len(labels) <= MAX_TABLE else _map
    payload = None if len(labels) <= MAX_TABLE else _payload(labels, counts)
    called = f"Confusion matrix{f' of {name}' if name else ''}"
    confusions = _confusions(labels, counts, name) if len(labels) > 2 else ""
    parts = (
        _summary(figures, len(labels)),
        kind(labels, counts, figures, how, called),
        f'<div class="vk-tables">{confusions}{_classes(labels, figures, name)}</div>',
    )
    return html.component("matrix", payload, inner="".join(parts), label=called)


def _summary(figures: scores.ByClass, classes: int) -> str:
    rows, f1 = count_text(float(figures.support.sum())), np.nan_to_num(figures.f1).mean()
    said = f"accuracy over {rows} rows of {classes:,} classes, macro F1 {f1:.4f}"
    return f'<p class="vk-sum"><b>{figures.accuracy:.1%}</b> {said}</p>'


def count_text(value: float) -> str:
    """Returns a count for people; weights may be no whole numbers."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.1%}"


def _table(labels: Sequence[str], counts: Any, figures: scores.ByClass, how: Normalize, called: str) -> str:
    weights = shares(counts, "true" if how == "none" else how)
    # Of all rows no cell may have much; the greatest is the darkest then.
    weights = weights / max(weights.max(), 1e-12) if how == "all" else weights
    shown = shares(counts, how) if how != "none" else None
    rows = []
    for i, label in enumerate(labels):
        cells = "".join(
            f'<td style="--w:{weights[i, j]:.3f}"{" class=vk-right" if i == j else ""}>{count_text(counts[i, j])}'
            f"{'' if shown is None else f'<small>{shown[i, j]:.1%}</small>'}</td>"
            for j in range(len(labels))
        )
        ends = f"<td>{count_text(figures.support[i])}</td><td>{_percent(figures.recall[i])}</td>"
        rows.append(f'<tr><th scope="row">{html.text(label)}</th>{cells}{ends}</tr>')
    head = "".join(f'<th scope="col">{html.text(label)}</th>' for label in labels)
    foot = "".join(f"<td>{_percent(value)}</td>" for value in figures.precision)
    return (
        f'<div class="vk-scroll vk-heat" tabindex="0" role="region" aria-label="{html.text(called)}"><table>'
        f'<thead><tr><td></td><th scope="colgroup" colspan="{len(labels)}" class="vk-axis">Predicted</th></tr>'
        f'<tr><th scope="col" class="vk-axis">True</th>{head}<th scope="col" class="vk-axis">Rows</th>'
        f'<th scope="col" class="vk-axis">Recall</th></tr></thead>'
        f'<tbody>{"".join(rows)}<tr class="vk-ends"><th scope="row" class="vk-axis">Precision</th>{foot}</tr></tbody>'
        "</table></div>"
    )


def _sparse(counts: Any) -> tuple[Any, Any]:
    """Returns rows and columns of the cells that hold something, the greatest first, as many as a page takes."""
    at = np.nonzero(counts)
    order = np.argsort(-counts[at], kind="stable")[:_MAX_CELLS]
    return at[0][order], at[1][order]


def _map(labels: Sequence[str], counts: Any, _: scores.ByClass, how: Normalize, called: str) -> str:
    weights = shares(counts, "true" if how in {"none", "all"} else how)
    rows, columns = _sparse(counts)
    # A share of 1 % is seen, and so is the difference between 50 % and 60 %.
    levels = np.clip(np.ceil(np.sqrt(weights[rows, columns]) * _LEVELS), 1, _LEVELS).astype(int)
    paths = []
    for level in range(1, _LEVELS + 1):
        cells = zip(columns[levels == level].tolist(), rows[levels == level].tolist(), strict=True)
        paths.append(f'<path style="--w:{level / _LEVELS:.3f}" d="{"".join(f"M{x} {y}h1v1h-1z" for x, y in cells)}"/>')
    n = len(labels)
    return (
        f'<figure class="vk-map"><div class="vk-axis" aria-hidden="true">Predicted, {n:,} classes in order</div>'
        f'<div class="vk-axis vk-down" aria-hidden="true">True</div><div class="vk-mapbox" role="img" '
        f'aria-label="{html.text(called)}: {n:,} classes; the tables below say the same in numbers">'
        f'<svg viewBox="0 0 {n} {n}" aria-hidden="true" shape-rendering="crispEdges">'
        f"{''.join(paths)}</svg></div></figure>"
    )


def _payload(labels: Sequence[str], counts: Any) -> dict[str, Any]:
    rows, columns = _sparse(counts)
    return {
        "labels": list(labels),
        "cells": [rows.tolist(), columns.tolist(), counts[rows, columns].tolist()],
        "support": counts.sum(axis=1).tolist(),
    }


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


def _classes(labels: Sequence[str], figures: scores.ByClass, name: str) -> str:
    columns = (figures.precision, figures.recall, figures.f1)
    lines: list[Sequence[Any]] = [
        (label, *(_percent(column[at]) for column in columns), count_text(figures.support[at]))
        for at, label in enumerate(labels)
    ]
    # Undefined figures count as nothing, as in scikit-learn.
    known = [np.nan_to_num(column) for column in columns]
    total = figures.support.sum()
    weighted = [float((column * figures.support).sum() / total) for column in known]
    lines.append(("Macro average", *(f"{column.mean():.1%}" for column in known), count_text(total)))
    lines.append(("Weighted average", *(f"{value:.1%}" for value in weighted), count_text(total)))
    caption = f"Figures by class{f' of {name}' if name else ''}"
    return html.table(["Class", "Precision", "Recall", "F1", "Rows"], lines, caption=caption)
