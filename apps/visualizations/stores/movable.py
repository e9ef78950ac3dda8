"""A file that the storage may take as it is."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from django.core.files import File


class MovableFile(File):  # type: ignore[type-arg]
    """A file of this machine for `Storage.save`: on one disk it appears there whole or not at all."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        super().__init__(file, name=str(path))

    def temporary_file_path(self) -> str:
        """What FileSystemStorage asks for before it renames instead of copying."""
        return str(self.name)
