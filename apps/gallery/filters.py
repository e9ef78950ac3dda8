"""The gallery's filters: each is a field of the form and a query parameter."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final

from django import forms
from django.http import QueryDict

from apps.runs.filter_fields import ChoiceFilter, DayFilter, Filter, FlagFilter, TextFilter
from apps.visualizations.states import ACTIVE_STATES, RenderState

GOOD: Final = ""
ALL: Final = "all"
WORKING: Final = "working"
FAILED: Final = "failed"
# All final states without a result.
FAILURES: Final = tuple(
    str(state) for state in RenderState if state not in ACTIVE_STATES and state != RenderState.SUCCEEDED
)
STATES: Final = (
    (GOOD, "Results and work in progress"),
    (str(RenderState.SUCCEEDED), "Results only"),
    (WORKING, "In progress"),
    (FAILED, "Without a result"),
    *((str(state), str(state.label)) for state in RenderState if state in FAILURES and state != RenderState.FAILED),
    (ALL, "All, with failed and replaced ones"),
)
SORTS: Final = (
    ("", "Newest first"),
    ("created", "Oldest first"),
    ("title", "Name, A to Z"),
    ("-title", "Name, Z to A"),
)
# Prefixes of a sort by a key figure; the figure's name follows.
HIGHEST: Final = "-figure:"
LOWEST: Final = "figure:"


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryFilters:
    """The gallery's filters; an empty value matches everything.

    Attributes:
        q: words that must all occur.
        state: one of STATES; "" leaves out failed visualizations, and those replaced by an edited one.
        since, until: days in UTC, inclusive.
        before: only visualizations created before this time.
        sort: one of SORTS, or HIGHEST or LOWEST with a figure's name, which lists only visualizations that have it.
    """

    q: str = ""
    type: str = ""
    state: str = ""
    pipeline: str = ""
    run: str = ""
    step: str = ""
    artifact: str = ""
    owner: str = ""
    tag: str = ""
    since: date | None = None
    until: date | None = None
    favourites: bool = False
    pinned: bool = False
    before: datetime | None = None
    sort: str = ""

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is set, apart from the order."""
        return any(getattr(self, each.name) for each in fields(self) if each.name != "sort")

    @property
    def figure(self) -> str:
        """Name of the key figure to sort by; "" for none."""
        return self.sort.partition(":")[2]


class MomentFilter(Filter, forms.Field):
    """A time in ISO 8601, with its offset from UTC."""

    empty = None

    def to_python(self, value: Any) -> datetime | None:
        """Parses the time."""
        try:
            found = datetime.fromisoformat(value) if value else None
        except ValueError as error:
            raise forms.ValidationError("Write a time as 2026-11-29T12:00:00+00:00.") from error
        if found is not None and found.tzinfo is None:
            raise forms.ValidationError("Write the time with its offset from UTC.")
        return found


class GalleryForm(forms.Form):
    """The gallery's filters, as its page and the API read them."""

    q = TextFilter("q", label="Search", chip="“{}”")
    type = TextFilter("type", label="Type", chip="type {}")
    state = ChoiceFilter("state", label="State", choices=STATES, chip="{}")
    pipeline = TextFilter("pipeline", label="Pipeline", max_length=500, chip="pipeline {}")
    run = TextFilter("run", label="Run", chip="run {}")
    step = TextFilter("step", label="Step", max_length=500, chip="step {}")
    artifact = TextFilter("artifact", label="Artifact", max_length=500, chip="artifact {}")
    owner = TextFilter("owner", label="Owner", chip="by {}")
    tag = TextFilter("tag", label="Tag", chip="tag {}")
    since = DayFilter("since", label="From", chip="from {}")
    until = DayFilter("until", label="To", chip="to {}")
    favourites = FlagFilter("favourites", label="Favourites", chip="favourites")
    pinned = FlagFilter("pinned", label="Pinned", chip="pinned")
    before = MomentFilter("before", label="Before", chip="before {:%Y-%m-%d %H:%M} UTC")
    sort = TextFilter("sort", label="Sort", max_length=120)

    def __init__(self, data: QueryDict | dict[str, Any]) -> None:
        super().__init__(data)

    def clean_sort(self) -> str:
        """Rejects an unknown order."""
        sort = str(self.cleaned_data["sort"])
        if sort not in dict(SORTS) and not sort.startswith((HIGHEST, LOWEST)):
            raise forms.ValidationError("There is no such sort order.")
        return sort

    def filters(self) -> GalleryFilters:
        """Returns the filters; invalid values are ignored and reported in `errors`."""
        self.is_valid()
        values = {name: value for name, value in self.cleaned_data.items() if name not in self.errors}
        values["type"] = values.get("type", "").lower()
        values["tag"] = values.get("tag", "").lower()
        return GalleryFilters(**values)

    def chips(self, filters: GalleryFilters, type_titles: dict[str, str]) -> list[tuple[str, str]]:
        """Returns (parameter name, text) of each filter that is set."""
        found = []
        for name, field in self.fields.items():
            value = getattr(filters, name)
            chip = getattr(field, "chip", "")
            if value and chip:
                shown = type_titles.get(value, value) if name == "type" else value
                if isinstance(field, ChoiceFilter):
                    shown = field.text_of(value)
                found.append((name, chip.format(shown)))
        return found
