"""The form that chooses two versions of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from django import forms

_MOST_CHOICES: Final = 200


class VersionsForm(forms.Form):
    """Which version is compared with which. An address may name older ones than there is a choice of."""

    def __init__(self, before: int, after: int, numbers: Iterable[int]) -> None:
        super().__init__()
        choices = [(each, f"Version {each}") for each in list(numbers)[:_MOST_CHOICES]]
        self.fields["from"] = forms.ChoiceField(label="From", choices=choices, initial=before)
        self.fields["to"] = forms.ChoiceField(label="To", choices=choices, initial=after)


def numbers_read(query: Mapping[str, str], newest: int) -> tuple[int, int]:
    """Returns the two versions that an address means; by default the newest, and the one before the other."""
    after = _number(query.get("to"), newest)
    return _number(query.get("from"), max(1, after - 1)), after


def _number(text: str | None, usual: int) -> int:
    # Longer numbers are those of no version, and of no column.
    is_number = text is not None and text.isascii() and text.isdecimal() and len(text) <= 9
    return int(text) if text and is_number else usual
