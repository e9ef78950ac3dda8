"""The form that selects two versions of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from django import forms

_MOST_CHOICES: Final = 200


class VersionsForm(forms.Form):
    """Choices of the versions to compare. An address may name versions that are too old to be among the choices."""

    def __init__(self, before: int, after: int, numbers: Iterable[int]) -> None:
        super().__init__()
        choices = [(each, f"Version {each}") for each in list(numbers)[:_MOST_CHOICES]]
        self.fields["from"] = forms.ChoiceField(label="From", choices=choices, initial=before)
        self.fields["to"] = forms.ChoiceField(label="To", choices=choices, initial=after)


def numbers_read(query: Mapping[str, str], newest: int) -> tuple[int, int]:
    """Returns the numbers `from` and `to` of a query; by default the newest version's predecessor and the newest."""
    after = _number(query.get("to"), newest)
    return _number(query.get("from"), max(1, after - 1)), after


def _number(text: str | None, usual: int) -> int:
    # Longer numbers cannot be versions and would overflow the column.
    is_number = text is not None and text.isascii() and text.isdecimal() and len(text) <= 9
    return int(text) if text and is_number else usual
