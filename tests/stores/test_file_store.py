"""Results as files: copied completely or not at all, without overwriting a file or following a link."""

import errno
import hashlib
import os
import tempfile
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from apps.stores import files
from apps.stores.content import content_save
from apps.stores.streamed import StoreAwayError, StoreFullError
from apps.visualizations.services import pruning

NAME = "renders/ab/x/1-result.html"


@pytest.fixture
def store(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "results"
    return default_storage


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(b"<p>page</p>" * 300_000)
    with path.open("rb") as file:
        yield file


def stored(settings):
    return sorted(path.relative_to(settings.MEDIA_ROOT) for path in settings.MEDIA_ROOT.rglob("*") if path.is_file())


def test_open_file_is_copied_with_size_and_digest(store, page, settings):
    page.seek(100)
    saved = content_save(store, NAME, page)
    page.seek(0)
    content = page.read()
    assert (saved.name, saved.size_bytes) == (NAME, len(content))
    assert saved.sha256 == hashlib.sha256(content).hexdigest()
    assert (settings.MEDIA_ROOT / NAME).read_bytes() == content
    assert (settings.MEDIA_ROOT / NAME).stat().st_mode & 0o777 == 0o600
    assert len(stored(settings)) == 1


def test_file_name_replaced_by_a_link_is_not_used(store, page, tmp_path, settings, monkeypatch):
    """An attack that once worked: the name of the checked file becomes a link while its content is read."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    real = os.fsync

    def swap(descriptor):
        (tmp_path / "page.html").unlink(missing_ok=True)
        (tmp_path / "page.html").symlink_to(secret)
        real(descriptor)

    monkeypatch.setattr(files.os, "fsync", swap)
    content_save(store, NAME, page)
    assert b"secret" not in (settings.MEDIA_ROOT / NAME).read_bytes()
    assert not (settings.MEDIA_ROOT / NAME).is_symlink()
    assert secret.stat().st_mode & 0o777 == 0o644


def test_upload_with_a_temporary_path_is_copied(store, tmp_path, settings):
    """Django's uploads have `temporary_file_path`, which its own storage uses to move files."""

    class Upload(ContentFile):
        def temporary_file_path(self):
            raise AssertionError("the store asked for a path")

    store.save(NAME, Upload(b"x"))
    assert (settings.MEDIA_ROOT / NAME).read_bytes() == b"x"


def test_existing_file_is_not_overwritten(store):
    first = store.save(NAME, ContentFile(b"first"))
    second = store.save(NAME, ContentFile(b"second"))
    assert first != second
    assert (store.open(first).read(), store.open(second).read()) == (b"first", b"second")


def test_file_created_concurrently_is_not_overwritten(store, settings, monkeypatch):
    real = files.os.link

    def be_first(source, target):
        if not (settings.MEDIA_ROOT / NAME).exists():
            target.write_bytes(b"first")
        real(source, target)

    monkeypatch.setattr(files.os, "link", be_first)
    second = store.save(NAME, ContentFile(b"second"))
    assert second != NAME
    assert (settings.MEDIA_ROOT / NAME).read_bytes() == b"first"
    assert (settings.MEDIA_ROOT / second).read_bytes() == b"second"


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP])
def test_file_system_without_hard_links_is_supported(store, settings, monkeypatch, code):
    def refuse(*_args, **_more):
        raise OSError(code, "no links here")

    monkeypatch.setattr(files.os, "link", refuse)
    first, second = store.save(NAME, ContentFile(b"first")), store.save(NAME, ContentFile(b"second"))
    assert first != second
    assert len(stored(settings)) == 2


def test_full_disk_is_reported_and_leaves_no_file(store, page, settings, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StoreFullError, match="full"):
        content_save(store, NAME, page)
    assert stored(settings) == []


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_only_regular_files_are_opened(store, settings, tmp_path, kind):
    path = settings.MEDIA_ROOT / NAME
    path.parent.mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    path.symlink_to(tmp_path / "secret") if kind == "link" else os.mkfifo(path)
    with pytest.raises(OSError, match=r"regular|symbolic"):
        store.open(NAME)


def test_incomplete_save_is_detected(store, page, settings, monkeypatch):
    monkeypatch.setattr(files.FileStore, "size", lambda _self, _name: 5)
    with pytest.raises(StoreAwayError, match="kept 5 of"):
        content_save(store, NAME, page)
    assert stored(settings) == []


@pytest.mark.django_db
def test_incomplete_file_of_a_crash_is_pruned(store, settings):
    left = settings.MEDIA_ROOT / files.INCOMING / "0123"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    earlier, later = timezone.now() - timedelta(days=1), timezone.now() + timedelta(minutes=1)
    assert pruning.prune(retention=pruning.Retention(), files_before=earlier, is_dry_run=False).files == []
    assert pruning.prune(retention=pruning.Retention(), files_before=later, is_dry_run=False).files == [
        f"{files.INCOMING}/0123"
    ]
    assert not left.exists()


def test_file_without_a_name_is_copied(store):
    """A render may return an anonymous memory file."""
    with tempfile.TemporaryFile() as file:
        file.write(b"sealed")
        assert content_save(store, NAME, file).size_bytes == 6
