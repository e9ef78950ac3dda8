"""Turns errors of services into Django's exceptions, which have error pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import PermissionDenied
from django.http import Http404

from apps.visualizations.exceptions import NotAllowedError, NotFoundError


@contextmanager
def service_errors_as_pages() -> Iterator[None]:
    """Wraps calls of services: NotFoundError becomes a 404, NotAllowedError a 403.

    Other errors pass through: the view knows where to show them.
    """
    try:
        yield
    except NotFoundError as error:
        raise Http404(str(error)) from error
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
