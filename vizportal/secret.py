"""The installation's secret key where none is configured: made once, kept in the data directory."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def load_or_create(data_dir: Path) -> str:
    """Returns the key in `data_dir/secret_key`, making file and directory (readable by their owner only).

    Raises:
        ImproperlyConfigured: the directory cannot be made or written.
    """
    path = data_dir / "secret_key"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # O_EXCL: of two processes that start at once, one writes and the other reads.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"VIZPORTAL_DATA_DIR: cannot write {data_dir}: {error.strerror}. "
            "Choose a directory you may write to, or set SECRET_KEY."
        ) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        key = secrets.token_urlsafe(48)
        file.write(key)
    return key
