"""The installation's secret key without SECRET_KEY: a file in the data directory, which `rotate_key` replaces.

Replaced keys are kept for as long as a session lasts, so that a rotation signs nobody out.
"""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import Final

from django.core.exceptions import ImproperlyConfigured

_NAME: Final = "secret_key"
# One line per key: when it was replaced (seconds since 1970), and the key.
_REPLACED_NAME: Final = "secret_key.replaced"


def load_or_create(data_dir: Path) -> str:
    """Returns the key in `data_dir/secret_key`, which is created if missing (readable by its owner only).

    Raises:
        ImproperlyConfigured: the directory cannot be created or written.
    """
    path = data_dir / _NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # O_EXCL: if two processes start at the same time, one writes and the other reads.
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


def load_replaced(data_dir: Path, keep_s: float) -> list[str]:
    """Returns the keys that were replaced at most `keep_s` seconds ago, the latest first."""
    return [key for replaced_at, key in reversed(_read_replaced(data_dir)) if replaced_at > time.time() - keep_s]


def rotate(data_dir: Path, *, is_old_dropped: bool) -> None:
    """Replaces the key in the data directory; processes read it when they start.

    Args:
        data_dir: the data directory.
        is_old_dropped: delete the old keys, which invalidates everything they signed: for a key that leaked.
    """
    replaced = [] if is_old_dropped else [*_read_replaced(data_dir), (int(time.time()), load_or_create(data_dir))]
    # In this order, a crash between the two writes leaves the old key valid.
    _write(data_dir / _REPLACED_NAME, "".join(f"{replaced_at} {key}\n" for replaced_at, key in replaced))
    _write(data_dir / _NAME, secrets.token_urlsafe(48))


def _read_replaced(data_dir: Path) -> list[tuple[int, str]]:
    try:
        lines = (data_dir / _REPLACED_NAME).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    found = (line.partition(" ") for line in lines)
    return [(int(replaced_at), key) for replaced_at, _, key in found if replaced_at.isdecimal() and key]


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
