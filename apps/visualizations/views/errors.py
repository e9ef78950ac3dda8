"""Turns what services refuse into Django's own exceptions, which have pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import PermissionDenied
from django.http import Http404

from apps.visualizations.exceptions import NotAllowedError, NotFoundError


@contextmanager
def service_errors_as_pages() -> Iterator[None]:
    """Around calls of services: NotFoundError becomes a 404, NotAllowedError a 403.

    Every other error passes through: the view knows where on its page the words belong.
    """
    try:
        yield
    except NotFoundError as error:
        raise Http404(str(error)) from error
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
