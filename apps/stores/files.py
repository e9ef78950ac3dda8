"""Results as files on this machine: each appears under its name completely or not at all."""

from __future__ import annotations

import errno
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

from django.core.files import File
from django.core.files.storage import FileSystemStorage

from apps.stores.streamed import StoredFile, StoreFullError

# Folder of files that have no final name yet; pruning removes what a crash leaves here.
INCOMING: Final = "incoming"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class FileStore(FileSystemStorage):
    """Django's file store, changed to copy only from open files and to never overwrite.

    Django's own moves a file by its path if it has one, but anybody who can still write to that folder could meanwhile
    put a link there. This class never uses the content's path.
    """

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:  # noqa: ARG002  (results are read only)
        # Only regular files are written here. A link or pipe is somebody else's, and is not followed.
        descriptor = os.open(self.path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        file = os.fdopen(descriptor, "rb")
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            file.close()
            raise FileNotFoundError(errno.ENOENT, "not a regular file", name)
        changed = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        return StoredFile(file, name, size_bytes=status.st_size, version=":".join(map(str, changed)))

    def _save(self, name: str, content: File[Any]) -> str:
        with _full_disk_is_said(), self._incoming() as (file, path):
            for chunk in content.chunks():
                file.write(chunk)
            file.flush()
            if self.file_permissions_mode is not None:
                os.fchmod(file.fileno(), self.file_permissions_mode)
            saved, folders = self._publish(path, name)
            if getattr(content, "is_durable", True):
                # Sync after the rename: a journaling file system then writes everything at once, in a third of the
                # time. No row refers to the file before this is done, and readers verify its digest.
                try:
                    os.fsync(file.fileno())
                except OSError:
                    # Some disks report only now that they are full.
                    self.delete(saved)
                    raise
                for folder in folders:
                    _sync_folder(folder)
            return saved

    @contextmanager
    def _incoming(self) -> Iterator[tuple[IO[bytes], Path]]:
        folder = Path(self.location) / INCOMING
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / uuid.uuid4().hex
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file, path
        finally:
            path.unlink(missing_ok=True)

    def _publish(self, path: Path, name: str) -> tuple[str, list[Path]]:
        """Publishes a file under a free name; returns that name, and the folders that have a new entry."""
        while True:
            target = Path(self.path(name))
            made = _make_folders(target.parent)
            try:
                _rename(path, target)
                break
            except FileExistsError:
                name = self.get_available_name(name)
        return str(target.relative_to(self.location)), [target.parent, *made]


def _make_folders(folder: Path) -> list[Path]:
    """Creates a folder, and returns the parent folders that got a new entry."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [each.parent for each in missing]


def _rename(path: Path, target: Path) -> None:
    """Gives a file its name unless the name is taken; POSIX rename would replace an existing file.

    Raises:
        FileExistsError: the name is taken.
    """
    try:
        os.link(path, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Some network file systems have no links. Names contain the render's id and attempt, so there is only one
        # writer.
        if target.exists():
            raise FileExistsError(errno.EEXIST, "exists", str(target)) from error
        path.rename(target)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Not every file system can sync a folder.
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _full_disk_is_said() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFullError(error.errno, "The disk of the store of results is full.") from error
        raise
