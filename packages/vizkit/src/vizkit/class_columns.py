"""Assigns columns of scores to classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import polars as pl

from . import labels as known_labels
from .notes import Notes, listed

# A column of numbers that has one of these in its name holds scores.
SCORE_WORDS: Final = frozenset(
    {"prob", "proba", "probs", "probability", "score", "scores", "confidence", "logit", "likelihood"}
)


def class_columns(
    rows: pl.DataFrame, labels: list[str], given: Sequence[str], target: str, notes: Notes
) -> dict[str, str]:
    """Returns the score column of each class, by label; empty if there are none.

    A column belongs to the class in its name, which may stand alone or next to another word (`score_cat`, `prob.cat`,
    `cat probability`). Columns that are numbered (`prob_0`, `prob_1`), or given and named otherwise, are assigned in
    the order of the sorted labels, as in scikit-learn.

    Raises:
        ValueError: the given columns do not match the labels.
    """
    names = list(given) or [name for name in rows.columns if name != target]
    by_name: dict[str, list[str]] = {}
    for name in names:
        words = words_of(name)
        for key in {name.casefold(), *("_".join(words[n:]) for n in (1, 2)), "_".join(words[:-1])} - {""}:
            by_name.setdefault(key, []).append(name)
    found = {}
    for label in labels:
        folded = label.casefold()
        matching = by_name.get(folded) or by_name.get("_".join(words_of(label)), [])
        exact = [name for name in matching if name.casefold() == folded]
        if len(exact or matching) == 1 or exact:
            found[label] = (exact or matching)[0]
    if len(found) == len(labels) and len(set(found.values())) == len(labels):
        are_numbers = all(rows.schema[name].is_numeric() for name in found.values())
        return found if given or are_numbers else {}
    if not given:
        return _numbered(rows, labels, target, notes)
    if len(given) != len(labels):
        raise ValueError(
            f'class_columns names {len(given)} columns, but "{target}" has {len(labels)} values: '
            f"{known_labels.names_of(labels)}."
        )
    return dict(zip(labels, given, strict=True))


def _numbered(rows: pl.DataFrame, labels: list[str], target: str, notes: Notes) -> dict[str, str]:
    """Returns columns such as prob_0, prob_1 and prob_2 by the class that each belongs to; empty if there are none."""
    found: dict[int, str] = {}
    for name in rows.columns:
        *words, last = words_of(name) or [""]
        if name != target and last.isdecimal() and SCORE_WORDS & set(words) and rows.schema[name].is_numeric():
            found[int(last)] = name
    numbers = sorted(found)
    if len(labels) < 3 or len(found) != len(labels) or numbers != list(range(len(labels))):
        return {}
    columns = [found[number] for number in numbers]
    notes.add(f"Columns {listed(columns, 5)} are assigned to {listed(labels, 5)}. If that is wrong, set class_columns.")
    return dict(zip(labels, columns, strict=True))


def words_of(name: str) -> list[str]:
    """Returns the words of a column's name in lower case."""
    return [word for word in re.split(r"[_\W]+", name.casefold()) if word]
