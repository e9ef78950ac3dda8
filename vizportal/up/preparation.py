"""Preparation before the web process starts: the database's tables and the static files."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

_STAMP: Final = ".collected"


def database_prepare() -> None:
    """Migrates the database."""
    call_command("migrate", interactive=False, verbosity=0)


def static_files_prepare() -> None:
    """Collects the static files if they have changed: compressing them takes three seconds."""
    stamp = Path(settings.STATIC_ROOT) / _STAMP
    digest = _static_digest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return
    call_command("collectstatic", interactive=False, verbosity=0, stdout=io.StringIO())
    stamp.write_text(digest, encoding="utf-8")


def _static_digest() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_mtime_ns}\0{status.st_size}\n".encode())
    return digest.hexdigest()
