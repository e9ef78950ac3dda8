"""Reads a render's outcome, and stores it with the product's own service.

Only this module knows the names of an outcome's files and of the service that stores them.
"""

import contextlib
import hashlib
import inspect
import signal
import uuid
from types import SimpleNamespace

_PATIENCE_S = 20
_MAX_READ = 300 * 1024**2


class StuckError(Exception):
    """The attack made the trusted side wait."""


def content_of(file):
    """Returns all bytes of an open file."""
    file.seek(0)
    return file.read(_MAX_READ)


def texts_of(outcome):
    """Returns every text of an outcome, by field name."""
    found = {}
    for name in inspect.getmembers(type(outcome), inspect.ismemberdescriptor):
        value = getattr(outcome, name[0])
        if isinstance(value, str):
            found[name[0]] = value
    return found


def store(outcome, folder):
    """Stores an outcome's files as a worker does. Returns (name, bytes, reported digest) of each.

    Raises:
        StuckError: it took longer than 20 s.
    """
    from django.test import override_settings

    from apps.visualizations.services import results

    render = SimpleNamespace(id=uuid.uuid4(), attempt=1)
    stored = []
    with override_settings(MEDIA_ROOT=str(folder)), _time_limit(_PATIENCE_S):
        from django.core.files.storage import default_storage

        for name in ("html", "notebook"):
            if each := getattr(outcome, name):
                saved = results.file_save(render, each, f"{name}.bin")
                with default_storage.open(saved.name) as file:
                    stored.append((saved, file.read(_MAX_READ)))
    return stored


def mistakes(stored):
    """Returns the differences between the stored files and their reported digests and sizes."""
    found = []
    for saved, content in stored:
        if hashlib.sha256(content).hexdigest() != saved.sha256:
            found.append("a file is stored with another digest than its own")
        if len(content) != saved.size_bytes:
            found.append("a file is stored with another size than its own")
    return found


@contextlib.contextmanager
def _time_limit(seconds):
    def stop(*_):
        raise StuckError(f"the trusted side waited for more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
