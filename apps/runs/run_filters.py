"""The filters of the run list. All of them are in the URL, and the API accepts the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, cast

from django import forms
from django.http import QueryDict
from django.utils import timezone

from apps.runs.entities import State
from apps.runs.filter_fields import (
    ChoiceFilter,
    DayFilter,
    Filter,
    FlagFilter,
    NameFilter,
    Place,
    SeveralFilter,
    TextFilter,
    WordsFilter,
)
from apps.runs.gateway.filters import RunQuestion

_PAGE_SIZES: Final = (20, 50, 100, 200)
_PERIODS: Final = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "90d": ("Last 90 days", timedelta(days=90)),
}
_SORTS: Final = {
    "-created": "Newest first",
    "created": "Oldest first",
    "name": "Name A to Z",
    "-name": "Name Z to A",
    "-finished": "Last finished",
    "finished": "First finished",
}


_ASKED: Final = tuple(each.name for each in fields(RunQuestion))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilters:
    """The filters that a page of the run list requests.

    Attributes:
        question: what Kubeflow can filter by.
        tag: known only to the portal.
        pipeline_id: Kubeflow cannot filter by it.
    """

    question: RunQuestion = field(default_factory=RunQuestion)
    tag: str = ""
    pipeline_id: str = ""
    page_size: int = _PAGE_SIZES[0]
    page_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One active filter; `changes` are the changes to the URL that remove it."""

    label: str
    changes: Mapping[str, None]


def _days_chip(values: Mapping[str, Any]) -> str:
    first, last = values["first_day"], values["last_day"]
    return f"created {first or 'the beginning'} to {last or 'today'}" if first or last else ""


class RunFilterForm(forms.Form):
    """The run list's filters. A field named like an attribute of RunQuestion is passed to Kubeflow.

    The form is usable whatever the URL says: an invalid filter gets an error and is ignored.
    """

    text = TextFilter(
        "q",
        label="Name",
        help_text="Part of the name.",
        chip="name contains “{}”",
        place=Place.FIRST_ROW,
        widget=forms.SearchInput(attrs={"placeholder": "Part of a name", "data-search": True}),
    )
    states = SeveralFilter(
        "state",
        label="Status",
        help_text="Any of these.",
        chip="state: {}",
        place=Place.FIRST_ROW,
        choices=[(state.value, state.label) for state in State],
        offered=[(state.value, state.label) for state in State if state.is_selectable],
        coerce=State.by_value,
    )
    pipeline_id = NameFilter(
        "pipeline", label="Pipeline", help_text="Id.", chip="pipeline: {}", place=Place.FIRST_ROW, any_label="All"
    )
    experiment_id = NameFilter(
        "experiment", label="Experiment", help_text="Id.", chip="experiment: {}", place=Place.FIRST_ROW, any_label="All"
    )
    recurring_run_id = TextFilter(
        "recurring",
        help_text="Id of the schedule that started them.",
        chip="started by: {}",
        place=Place.FIRST_ROW,
        widget=forms.HiddenInput,
    )
    since = ChoiceFilter(
        "since",
        label="Created",
        help_text="A period that ends now; without effect where days are given.",
        chip="{}",
        place=Place.FIRST_ROW,
        choices=[("", "Any time"), *((key, label) for key, (label, _) in _PERIODS.items())],
    )
    first_day = DayFilter(
        "from", label="From day (UTC)", help_text="YYYY-MM-DD, in UTC.", chip=_days_chip, clears=("last_day",)
    )
    last_day = DayFilter("to", label="To day", help_text="YYYY-MM-DD, included.")
    tag = NameFilter("tag", label="Tag", help_text="A tag.", chip="tag: {}", any_label="Any")
    archived = FlagFilter("archived", label="Archived", help_text="Only runs in the archive.", chip="archived")
    sort = ChoiceFilter("sort", label="Order", help_text="The order.", choices=list(_SORTS.items()))
    page_size = ChoiceFilter(
        "size", label="Rows", is_in_api=False, choices=[(size, str(size)) for size in _PAGE_SIZES], coerce=int
    )
    metrics = WordsFilter("metric", place=Place.NOWHERE, is_in_api=False)
    page_token = TextFilter("page", place=Place.NOWHERE, is_saved=False, is_in_api=False, max_length=2000)

    def __init__(self, query: QueryDict) -> None:
        super().__init__(query, auto_id="%s")
        self._filters = {name: each for name, each in self.fields.items() if isinstance(each, Filter)}
        self.full_clean()
        self.values = {name: each.empty for name, each in self._filters.items()} | self.cleaned_data

    def add_prefix(self, field_name: str) -> str:
        """Returns the name of a field in the URL; Django also calls this for a field's id, returned unchanged."""
        known = self._filters.get(field_name)
        return known.parameter if known else field_name

    def clean(self) -> dict[str, Any]:
        """Ignores the period if days are given."""
        cleaned = self.cleaned_data
        if cleaned.get("first_day") or cleaned.get("last_day"):
            cleaned["since"] = ""
        return cleaned

    def offer(self, **names: Mapping[str, str]) -> None:
        """Sets the offered names by id for fields that take one."""
        for name, offered in names.items():
            cast("NameFilter", self.fields[name]).offer(offered, self.values[name])

    def filters(self) -> RunFilters:
        """Returns the filters to apply."""
        asked = {name: self.values[name] for name in _ASKED if name in self.values}
        question = RunQuestion(created_from=self._created_from(), created_before=self._created_before(), **asked)
        names = ("tag", "pipeline_id", "page_size", "page_token")
        return RunFilters(question=question, **{name: self.values[name] for name in names})

    def _created_from(self) -> datetime | None:
        if self.values["since"]:
            # Whole minutes, because a list's page token is valid only for exactly the same filter.
            return timezone.now().replace(second=0, microsecond=0) - _PERIODS[self.values["since"]][1]
        return _midnight(self.values["first_day"])

    def _created_before(self) -> datetime | None:
        start = _midnight(self.values["last_day"])
        return start + timedelta(days=1) if start else None

    def chips(self) -> list[Chip]:
        """Returns the active filters; if there are any, an empty list does not mean an empty portal."""
        chips = []
        for name, each in self._filters.items():
            label = each.chip_text(self.values[name], self.values)
            cleared = [self.add_prefix(other) for other in (name, *each.clears, "page_token")]
            if label:
                chips.append(Chip(label=label, changes=dict.fromkeys(cleared)))
        return chips

    def saved_query(self) -> str:
        """Returns the part of the URL that a saved filter keeps, in a fixed order; "" if no filter is set."""
        kept, given = QueryDict(mutable=True), cast("QueryDict", self.data)
        for name, each in self._filters.items():
            texts = [text for text in given.getlist(each.parameter) if text]
            if each.is_saved and texts and name not in self.errors:
                kept.setlist(each.parameter, texts)
        return kept.urlencode()

    def api_errors(self) -> dict[str, str]:
        """Returns the errors of the filters that the API accepts, by parameter."""
        wrong = ((each, self.errors.get(name)) for name, each in self._filters.items() if each.is_in_api)
        return {each.parameter: " ".join(map(str, errors)) for each, errors in wrong if errors}

    def first_row(self) -> list[forms.BoundField]:
        """Returns the fields that are always visible."""
        return [self[name] for name, each in self._filters.items() if each.place is Place.FIRST_ROW]

    def more(self) -> list[forms.BoundField]:
        """Returns the fields below "More filters"."""
        return [self[name] for name, each in self._filters.items() if each.place is Place.MORE]

    def is_more_open(self) -> bool:
        """Whether one of the fields below "More filters" is set or invalid; order and size do not count."""
        more = [(name, each) for name, each in self._filters.items() if each.place is Place.MORE]
        return bool(self.values["metrics"]) or any(
            name in self.errors or each.chip_text(self.values[name], self.values) for name, each in more
        )


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None
