"""Lists as the API requests them: filter predicates, sort order and pages, translated to SQL.

Source: kubeflow/pipelines, backend/api/v2beta1/filter.proto. Column names come from the tables below only; every value
is bound, never written into the SQL.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from localkfp.errors import bad_request
from localkfp.store import Row, Store

DEFAULT_PAGE: Final = 20
LARGEST_PAGE: Final = 200
_COMPARE: Final = {
    "EQUALS": "IS",
    "NOT_EQUALS": "IS NOT",
    "GREATER_THAN": ">",
    "GREATER_THAN_EQUALS": ">=",
    "LESS_THAN": "<",
    "LESS_THAN_EQUALS": "<=",
}
# Protobuf's JSON may name an operation by its number, and fields in either spelling: kfp.Client does both.
_NUMBERS: Final = {
    1: "EQUALS",
    2: "NOT_EQUALS",
    3: "GREATER_THAN",
    5: "GREATER_THAN_EQUALS",
    6: "LESS_THAN",
    7: "LESS_THAN_EQUALS",
    8: "IN",
    9: "IS_SUBSTRING",
}
_VALUES: Final = ("string_value", "int_value", "long_value", "timestamp_value")
_LISTS: Final = ("string_values", "int_values", "long_values")
_SPELLINGS: Final = {f"{name.partition('_')[0]}{name.partition('_')[2].title()}": name for name in (*_VALUES, *_LISTS)}
_KNOWN: Final = frozenset({"operation", "key", *_VALUES, *_LISTS})
_BROKEN_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_TIMES: Final = frozenset({"created_at", "finished_at", "started_at", "last_run_created_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The filter and sort keys of one kind of list.

    Attributes:
        table: the SQL table.
        columns: the API's key -> column.
        tie: a column that orders otherwise equal rows.
    """

    table: str
    columns: Mapping[str, str]
    tie: str = "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    filter: str = ""
    sort_by: str = ""


@dataclass(slots=True)
class _Where:
    clauses: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, clause: str, *values: Any) -> None:
        self.clauses.append(clause)
        self.values.extend(values)

    @property
    def sql(self) -> str:
        return f" WHERE {' AND '.join(self.clauses)}" if self.clauses else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list."""

    rows: list[Row]
    total: int
    next_token: str


def list_rows(store: Store, listing: Listing, query: Mapping[str, str], fixed: Mapping[str, Any] | None = None) -> Page:
    """Returns one page.

    Args:
        store: where the rows are.
        listing: the kind of list.
        query: `filter`, `sort_by`, `page_size` and `page_token`, as in the URL.
        fixed: required column values in addition to the filter; a None value requires nothing.

    Raises:
        ApiError: 400 for an unknown key or operation, an invalid size, or an invalid token or one of another query.
    """
    question = _Question(filter=query.get("filter", ""), sort_by=query.get("sort_by", ""))
    offset = 0
    if query.get("page_token"):
        question, offset = _continued(query["page_token"], question)
    where = _Where()
    for column, value in (fixed or {}).items():
        if value:
            where.add(f"{column} = ?", value)
    for predicate in _predicates(question.filter):
        _add_predicate(where, listing, predicate)
    size = _page_size(query.get("page_size", ""))
    order = _order(listing, question.sort_by)
    counted = store.one(f"SELECT count(*) AS total FROM {listing.table}{where.sql}", *where.values)  # noqa: S608
    total = int(counted["total"]) if counted else 0
    sql = f"SELECT * FROM {listing.table}{where.sql} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
    rows = store.all(sql, *where.values, size, offset)
    more = offset + len(rows) < total and bool(rows)
    return Page(rows=rows, total=total, next_token=_token(question, offset + len(rows)) if more else "")


def _predicates(text: str) -> list[Mapping[str, Any]]:
    if not text:
        return []
    # Kubeflow URL-decodes a filter once more than HTTP does: "+" is a space.
    if _BROKEN_ESCAPE.search(text):
        raise bad_request(f"The filter has a '%' that begins no escape; write it as %25: {text[:200]}")
    try:
        found = json.loads(unquote_plus(text))
    except ValueError as error:
        raise bad_request(f"The filter is not JSON with predicates: {text[:200]}") from error
    if not isinstance(found, dict) or found.keys() - {"predicates"}:
        raise bad_request(f"The filter is not an object with predicates and nothing else: {text[:200]}")
    predicates = found.get("predicates") or []
    if not isinstance(predicates, list) or not all(isinstance(item, dict) for item in predicates):
        raise bad_request("The filter's predicates are not a list of objects.")
    return [{_SPELLINGS.get(name, name): value for name, value in item.items()} for item in predicates]


def _add_predicate(where: _Where, listing: Listing, predicate: Mapping[str, Any]) -> None:
    key, asked = str(predicate.get("key", "")), predicate.get("operation", "")
    unknown = predicate.keys() - _KNOWN
    if unknown:
        raise bad_request(f"A predicate has no field {', '.join(sorted(unknown))}.")
    operation = _NUMBERS.get(asked, "") if isinstance(asked, int) else str(asked)
    column = _column(listing, key)
    if operation == "IN":
        values = _bound_list(key, predicate)
        where.add(f"{column} IN ({', '.join('?' for _ in values)})", *values)
    elif operation == "IS_SUBSTRING":
        part = _bound(key, predicate)
        if not isinstance(part, str):
            raise bad_request(f"IS_SUBSTRING on {key!r} takes a string_value.")
        # Kubeflow uses LIKE too: "_" and "%" are wildcards unless escaped by a backslash. Its MySQL ignores case in the
        # default collation, as SQLite does.
        where.add(f"{column} LIKE ? ESCAPE '\\'", f"%{_ended(part)}%")
    elif operation in _COMPARE:
        where.add(f"{column} {_COMPARE[operation]} ?", _bound(key, predicate))
    else:
        raise bad_request(f"Unknown filter operation {asked!r}.")


def _column(listing: Listing, key: str) -> str:
    column = listing.columns.get(key)
    if column is None:
        raise bad_request(f"Invalid key {key!r}: expected one of {', '.join(listing.columns)}.")
    return column


def _bound(key: str, predicate: Mapping[str, Any]) -> Any:
    value = next((predicate[name] for name in _VALUES if name in predicate), None)
    if isinstance(value, (dict, list)) or value is None:
        raise bad_request(f"The predicate on {key!r} has no usable value.")
    return _seconds(value) if "timestamp_value" in predicate or key in _TIMES else value


def _bound_list(key: str, predicate: Mapping[str, Any]) -> list[Any]:
    found = next((predicate[name] for name in _LISTS if name in predicate), None)
    values = found.get("values") if isinstance(found, dict) else found
    if not isinstance(values, list) or any(isinstance(value, (dict, list)) for value in values):
        raise bad_request(f"The predicate on {key!r} has no list of values.")
    return values


def _seconds(value: Any) -> float:
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError as error:
        raise bad_request(f"{value!r} is not a time.") from error


def _order(listing: Listing, text: str) -> str:
    parts = text.split()
    if len(parts) > 2 or (len(parts) == 2 and parts[1].lower() not in {"asc", "desc"}):
        raise bad_request(f"Invalid sort_by {text!r}: expected 'key', 'key asc' or 'key desc'.")
    if not parts:
        return f"created_at ASC, {listing.tie} ASC"
    direction = parts[1].upper() if len(parts) == 2 else "ASC"
    column = "id" if parts[0] == "id" else _column(listing, parts[0])
    return f"{column} {direction}, {listing.tie} {direction}"


def _page_size(text: str) -> int:
    try:
        size = int(text or DEFAULT_PAGE)
    except ValueError as error:
        raise bad_request(f"page_size {text!r} is not a number.") from error
    if size < 0:
        raise bad_request("page_size must not be negative.")
    return min(size or DEFAULT_PAGE, LARGEST_PAGE)


def _ended(pattern: str) -> str:
    """Returns a LIKE pattern whose trailing backslash does not escape what is appended to it."""
    slashes = len(pattern) - len(pattern.rstrip("\\"))
    return pattern + "\\" if slashes % 2 else pattern


def _token(question: _Question, offset: int) -> str:
    return base64.b64encode(json.dumps([offset, question.filter, question.sort_by]).encode()).decode()


def _continued(token: str, asked: _Question) -> tuple[_Question, int]:
    """Returns the query that a token continues, and its first row; a request may repeat the query or omit it."""
    try:
        offset, text, order = json.loads(base64.b64decode(token.encode(), validate=True))
        kept = _Question(filter=str(text), sort_by=str(order))
        row = max(0, int(offset))
    except (TypeError, ValueError, binascii.Error) as error:
        raise bad_request("Invalid page token: it is not from this server.") from error
    if asked not in {_Question(), kept}:
        raise bad_request("The page token belongs to another sort_by or filter: repeat them, or leave both out.")
    return kept, row
