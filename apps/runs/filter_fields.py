"""Form fields that filter a list. A field declares all of a filter: parameter, validation, chip, documentation."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator

_LONGEST: Final = 200
_TRUE: Final = frozenset({"1", "on", "true", "yes", "y", "t"})
_FALSE: Final = frozenset({"", "0", "off", "false", "no", "n", "f"})
_EARLIEST, _LATEST = date(2015, 1, 1), date(2200, 1, 1)


class Place(enum.Enum):
    """The place of a filter on its page."""

    FIRST_ROW = enum.auto()
    MORE = enum.auto()
    NOWHERE = enum.auto()


class Filter(forms.Field):
    """Mixin that makes a form field a filter.

    Attributes:
        parameter: its name in URLs and in the API.
        chip: the chip's text with {} for the value, or a function of all the form's values; "" for no chip.
        clears: other fields that are cleared when its chip is removed.
        is_saved: whether saved filters include it.
        is_in_api: whether the API accepts it.
        empty: the value if the filter is not set.
        labels: texts for people by value; a value without a label is shown as it is.
    """

    empty: Any = ""
    labels: Mapping[Any, str] = {}

    def __init__(
        self,
        parameter: str,
        *,
        chip: str | Callable[[Mapping[str, Any]], str] = "",
        clears: Sequence[str] = (),
        place: Place = Place.MORE,
        is_saved: bool = True,
        is_in_api: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(required=False, **options)
        self.parameter, self.chip, self.clears = parameter, chip, clears
        self.place, self.is_saved, self.is_in_api = place, is_saved, is_in_api

    def text_of(self, value: Any) -> str:
        """Returns the text for a value."""
        return self.labels.get(value, str(value))

    def chip_text(self, value: Any, values: Mapping[str, Any]) -> str:
        """Returns the chip's text; "" if the filter is not set."""
        if not isinstance(self.chip, str):
            return self.chip(values)
        return self.chip.format(self.text_of(value)) if value != self.empty else ""


class TextFilter(Filter, forms.CharField):
    """Any text."""

    def __init__(self, parameter: str, *, max_length: int = _LONGEST, **options: Any) -> None:
        super().__init__(parameter, max_length=max_length, **options)


class NameFilter(TextFilter):
    """One of the offered names, which are only the newest, or any id that is not among them."""

    widget = forms.Select

    def __init__(self, parameter: str, *, any_label: str, **options: Any) -> None:
        super().__init__(parameter, **options)
        self.any_label = any_label

    def offer(self, names: Mapping[str, str], current: str) -> None:
        """Offers names by id, and the current value even if it is not among them."""
        self.labels = names
        shown = {"": self.any_label, **names}
        shown.setdefault(current, current)
        cast("forms.Select", self.widget).choices = list(shown.items())


class ChoiceFilter(Filter, forms.TypedChoiceField):
    """One of several values; defaults to the first."""

    def __init__(self, parameter: str, *, choices: Sequence[tuple[Any, str]], **options: Any) -> None:
        self.labels, self.empty = dict(choices), choices[0][0]
        super().__init__(parameter, choices=choices, empty_value=self.empty, **options)

    def text_of(self, value: Any) -> str:
        """Returns the choice's label in lower case."""
        return super().text_of(value).lower()


class DayFilter(Filter, forms.DateField):
    """A day, as YYYY-MM-DD."""

    empty = None

    def __init__(self, parameter: str, **options: Any) -> None:
        super().__init__(
            parameter,
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            validators=[MinValueValidator(_EARLIEST), MaxValueValidator(_LATEST)],
            error_messages={"invalid": "Write a day as YYYY-MM-DD."},
            **options,
        )


class FlagInput(forms.CheckboxInput):
    """A checkbox whose value in a URL is 1."""

    def __init__(self) -> None:
        super().__init__(check_test=lambda value: str(value).lower() in _TRUE)

    def format_value(self, value: Any) -> str:  # noqa: ARG002
        """Returns the value of the checked box."""
        return "1"

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:  # noqa: ARG002
        """Returns the text in the URL; Django would take any text for true."""
        return data.get(name, "")


class FlagFilter(Filter, forms.BooleanField):
    """True or false, in the words that scripts and browsers use for them."""

    empty = False
    widget = FlagInput

    def to_python(self, value: Any) -> bool:
        """Parses 1, on, true, yes and their opposites."""
        text = str(value).lower()
        if text not in _TRUE | _FALSE:
            raise ValidationError("Write 1 or 0.")
        return text in _TRUE


class _ListedSelect(forms.Select):
    """A list for choosing one value, although a URL may name several."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:  # noqa: ARG002
        return [value.lower() for value in data.getlist(name) if value]


class SeveralFilter(Filter, forms.TypedMultipleChoiceField):
    """Any of several values, ignoring case. The page offers those in `offered`."""

    empty = ()

    def __init__(
        self, parameter: str, *, choices: Sequence[tuple[str, str]], offered: Sequence[tuple[str, str]], **options: Any
    ) -> None:
        super().__init__(parameter, choices=choices, widget=_ListedSelect, empty_value=self.empty, **options)
        self.labels = dict(choices)
        self.widget.choices = [("", "All"), *offered]

    def clean(self, value: Any) -> Any:
        """Returns the values without duplicates."""
        return tuple(dict.fromkeys(super().clean(value)))

    def text_of(self, value: Any) -> str:
        """Returns the labels in lower case."""
        return ", ".join(self.labels[key].lower() for key in value)


class WordsFilter(Filter, forms.MultipleChoiceField):
    """Any words."""

    empty = ()

    def valid_value(self, value: Any) -> bool:
        """Whether a word is short enough."""
        return len(value) <= _LONGEST

    def clean(self, value: Any) -> Any:
        """Returns the words without duplicates."""
        return tuple(dict.fromkeys(word for word in super().clean(value) if word))
