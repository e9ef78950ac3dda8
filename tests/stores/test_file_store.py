"""Results as files: copied from an open file, whole or not at all, never over anything, and no link is followed."""

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


def test_a_file_is_copied_from_its_descriptor_and_measured_on_the_way(store, page, settings):
    page.seek(100)
    saved = content_save(store, NAME, page)
    page.seek(0)
    content = page.read()
    assert (saved.name, saved.size_bytes) == (NAME, len(content))
    assert saved.sha256 == hashlib.sha256(content).hexdigest()
    assert (settings.MEDIA_ROOT / NAME).read_bytes() == content
    assert (settings.MEDIA_ROOT / NAME).stat().st_mode & 0o777 == 0o600
    assert len(stored(settings)) == 1


def test_a_name_that_was_swapped_meanwhile_is_never_looked_at(store, page, tmp_path, settings, monkeypatch):
    """The attack that once worked: the checked file's name becomes a link while its content is read."""
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


def test_content_with_a_path_is_copied_all_the_same(store, tmp_path, settings):
    """Django's uploads have `temporary_file_path`, by which its own store moves files."""

    class Upload(ContentFile):
        def temporary_file_path(self):
            raise AssertionError("the store asked for a path")

    store.save(NAME, Upload(b"x"))
    assert (settings.MEDIA_ROOT / NAME).read_bytes() == b"x"


def test_nothing_is_written_over(store):
    first = store.save(NAME, ContentFile(b"first"))
    second = store.save(NAME, ContentFile(b"second"))
    assert first != second
    assert (store.open(first).read(), store.open(second).read()) == (b"first", b"second")


def test_a_name_that_is_taken_at_the_last_moment_is_left_alone(store, settings, monkeypatch):
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
def test_a_file_system_without_links_will_do(store, settings, monkeypatch, code):
    def refuse(*_args, **_more):
        raise OSError(code, "no links here")

    monkeypatch.setattr(files.os, "link", refuse)
    first, second = store.save(NAME, ContentFile(b"first")), store.save(NAME, ContentFile(b"second"))
    assert first != second
    assert len(stored(settings)) == 2


def test_a_full_disk_is_said_and_leaves_nothing(store, page, settings, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StoreFullError, match="full"):
        content_save(store, NAME, page)
    assert stored(settings) == []


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_is_no_regular_file_is_not_served(store, settings, tmp_path, kind):
    path = settings.MEDIA_ROOT / NAME
    path.parent.mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    path.symlink_to(tmp_path / "secret") if kind == "link" else os.mkfifo(path)
    with pytest.raises(OSError, match=r"regular|symbolic"):
        store.open(NAME)


def test_a_store_that_kept_less_is_noticed(store, page, settings, monkeypatch):
    monkeypatch.setattr(files.FileStore, "size", lambda _self, _name: 5)
    with pytest.raises(StoreAwayError, match="kept 5 of"):
        content_save(store, NAME, page)
    assert stored(settings) == []


@pytest.mark.django_db
def test_what_a_crash_cut_short_is_pruned(store, settings):
    left = settings.MEDIA_ROOT / files.INCOMING / "0123"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    earlier, later = timezone.now() - timedelta(days=1), timezone.now() + timedelta(minutes=1)
    assert pruning.prune(retention=pruning.Retention(), files_before=earlier, is_dry_run=False).files == []
    assert pruning.prune(retention=pruning.Retention(), files_before=later, is_dry_run=False).files == [
        f"{files.INCOMING}/0123"
    ]
    assert not left.exists()


def test_a_file_of_no_name_is_copied_too(store):
    """A render may hand over memory that has no name at all."""
    with tempfile.TemporaryFile() as file:
        file.write(b"sealed")
        assert content_save(store, NAME, file).size_bytes == 6
