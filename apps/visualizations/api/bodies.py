"""Parses request bodies: JSON objects of limited size, with finite numbers and texts that databases accept."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from apps.visualizations.api.errors import MAX_BODY_BYTES


class StrictParser(Parser):
    """Accepts only JSON objects of limited size with finite numbers."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Returns the body as a dict.

        Raises:
            ValueError: the body is too large, or not such an object; ninja answers 400 with the reason.
        """
        if len(request.body) > MAX_BODY_BYTES:
            raise ValueError(f"The body is larger than {MAX_BODY_BYTES:,} bytes.")
        try:
            body = json.loads(request.body, parse_constant=_refuse, parse_float=_finite)
        except RecursionError:
            raise ValueError("The body is nested too deeply.") from None
        except UnicodeDecodeError:
            raise ValueError("The body is not UTF-8.") from None
        except json.JSONDecodeError as error:
            raise ValueError(f"The body is not JSON: {error}.") from None
        check_texts(body)
        if not isinstance(body, dict):
            raise ValueError("The body must be a JSON object.")  # noqa: TRY004  (one kind for all of them)
        return body


def check_texts(*values: Any) -> None:
    """Rejects text that databases do not accept: NUL and lone surrogates, both of which JSON can encode.

    Raises:
        ValueError: one of the JSON values contains such a text.
    """
    rest = list(values)
    while rest:
        value = rest.pop()
        if isinstance(value, Mapping):
            rest += [*value, *value.values()]
        elif isinstance(value, list):
            rest += value
        elif isinstance(value, str) and ("\0" in value or not _is_unicode(value)):
            raise ValueError("A string contains a NUL, or is not Unicode.")


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number.")
    return number
