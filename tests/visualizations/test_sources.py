"""Sources are downloaded completely and within limits: local files, objects and archives."""

import gzip
import io
import os
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from apps.runs.exceptions import EndpointError
from apps.visualizations.exceptions import SourceError
from apps.visualizations.sources import (
    Download,
    SourceCache,
    SourceSpec,
    artifact_fetch,
    source_stage,
)
from apps.visualizations.sources import download as download_module


@pytest.fixture
def download(tmp_path):
    directory = tmp_path / "input"
    directory.mkdir()
    return Download(directory=directory, max_bytes=10_000)


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "allowed"
    found.mkdir()
    return found


def fetch(path, download, folder):
    return source_stage(
        SourceSpec(uri=str(path)),
        download,
        gateway=lambda: pytest.fail("the endpoint was asked"),
        cache=SourceCache(folder.parent / "cache", 10_000),
        allowed=[str(folder)],
    )


def test_file_is_copied_and_its_digest_returned(download, folder):
    (folder / "a b'c.csv").write_bytes(b"x,y\n")
    got = fetch(folder / "a b'c.csv", download, folder)
    assert got.source == str(download.directory / "a_b_c.csv")
    assert (got.size_bytes, got.files, len(got.digest)) == (4, 1, 64)
    assert (download.directory / "a_b_c.csv").read_bytes() == b"x,y\n"


def test_pattern_copies_matching_files_only(download, folder):
    for name in ("b.csv", "a.csv", "c.txt"):
        (folder / name).write_text(name)
    (folder / "link.csv").symlink_to(folder / "c.txt")
    got = fetch(folder / "*.csv", download, folder)
    assert got.source == str(download.directory / "*")
    assert sorted(path.name for path in download.directory.iterdir()) == ["a.csv", "b.csv"]


def test_links_pipes_devices_and_folders_are_refused(download, folder, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "way").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    for path in (folder / "link", folder / "way" / "secret", folder / "way", folder / "pipe", folder / "nothing"):
        with pytest.raises(SourceError):
            fetch(path, download, folder)
    with pytest.raises(SourceError):
        fetch("/dev/zero", download, Path("/dev"))
    with pytest.raises(SourceError):
        fetch(folder, download, folder)
    with pytest.raises(SourceError):
        fetch("/proc/self/environ/", Download(directory=download.directory, max_bytes=0), Path("/proc"))
    assert list(download.directory.iterdir()) == []


def test_file_that_grows_while_read_is_refused(download, folder):
    path = folder / "log.csv"
    path.write_bytes(b"x" * 100)

    def grow():
        with path.open("ab") as file:
            file.write(b"y")

    download.on_chunk = grow
    with pytest.raises(SourceError) as caught:
        fetch(path, download, folder)
    assert caught.value.code == "source_changed"


def test_size_count_and_time_limits_are_enforced(download, folder, monkeypatch):
    (folder / "big").write_bytes(b"x" * 10_001)
    with pytest.raises(SourceError) as caught:
        fetch(folder / "big", download, folder)
    assert caught.value.code == "source_too_big"
    for number in range(201):
        (folder / f"{number}.csv").touch()
    with pytest.raises(SourceError, match="more than 200 files"):
        fetch(folder / "*.csv", download, folder)
    download.max_seconds = -1
    with pytest.raises(SourceError) as caught:
        fetch(folder / "1.csv", download, folder)
    assert caught.value.code == "source_timeout"


def stand_in(content, *, is_directory=False, size_bytes=None):
    from contextlib import contextmanager

    @contextmanager
    def open_artifact(uri, *, namespace=""):
        yield SimpleNamespace(chunks=iter(content), size_bytes=size_bytes, content_type="", is_directory=is_directory)

    return SimpleNamespace(open_artifact=open_artifact, endpoint=SimpleNamespace(namespace=""))


def test_artifact_name_is_sanitized_and_keeps_its_suffix(download):
    got = artifact_fetch(stand_in([b"a", b"b"]), "minio://b/x/$(rm -rf).csv", download)
    assert got.source == str(download.directory / "_rm_-rf_.csv")


def test_endless_or_slow_artifact_is_stopped(download):
    def endless():
        while True:
            yield b"x" * 1000

    with pytest.raises(SourceError) as caught:
        artifact_fetch(stand_in(endless()), "minio://b/x", download)
    assert caught.value.code == "source_too_big"
    assert download.size_bytes <= 10_000
    download.size_bytes, download.max_seconds = 0, -1
    with pytest.raises(SourceError) as caught:
        artifact_fetch(stand_in(endless()), "minio://b/y", download)
    assert caught.value.code == "source_timeout"


def test_announced_size_over_limit_is_refused_before_reading(download):
    def never():
        raise AssertionError
        yield

    with pytest.raises(SourceError, match="10,001"):
        artifact_fetch(stand_in(never(), size_bytes=10_001), "minio://b/x", download)


def archive(*members, compress=True):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz" if compress else "w") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            else:
                member.type, member.linkname = content
                tar.addfile(member)
    return [buffer.getvalue()[at : at + 100] for at in range(0, len(buffer.getvalue()), 100)]


@pytest.mark.parametrize("compress", [True, False])
def test_archive_is_unpacked_without_links_devices_or_escapes(download, tmp_path, compress):
    content = archive(
        ("data/a.csv", b"a"),
        ("data/sub/b.csv", b"b"),
        ("../out.csv", b"out"),
        ("/abs.csv", b"out"),
        ("link", (tarfile.SYMTYPE, "/etc/passwd")),
        ("hard", (tarfile.LNKTYPE, "data/a.csv")),
        ("fifo", (tarfile.FIFOTYPE, "")),
        compress=compress,
    )
    got = artifact_fetch(stand_in(content, is_directory=True), "minio://b/folder", download)
    assert got.source == str(download.directory)
    files = sorted(
        str(path.relative_to(download.directory)) for path in download.directory.rglob("*") if path.is_file()
    )
    assert files == ["data/a.csv", "data/sub/b.csv"]
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("folder", "pattern", "found", "source"),
    [
        (("Split-eval",), (), {"a.csv": b"eval", "deep/b.csv": b"deep"}, ""),
        (("Split-eval", "a.csv"), (), {"a.csv": b"eval"}, "a.csv"),
        ((), ("Split-*", "a.csv"), {"Split-eval/a.csv": b"eval", "Split-train/a.csv": b"train"}, "*/*"),
        (("Split-eval",), ("*.csv",), {"a.csv": b"eval"}, "a.csv"),
    ],
)
def test_only_requested_part_of_archive_is_unpacked(download, folder, pattern, found, source):
    members = {"Split-eval/a.csv": b"eval", "Split-train/a.csv": b"train", "Split-eval/deep/b.csv": b"deep"}
    content = archive(*((name, data) for name, data in members.items()))
    got = artifact_fetch(stand_in(content, is_directory=True), "minio://b/x", download, folder=folder, pattern=pattern)
    read = {str(each.relative_to(download.directory)): each.read_bytes() for each in download.directory.rglob("*.csv")}
    assert read == found
    assert got.source == str(download.directory / source)


def test_missing_part_of_archive_is_reported(download):
    content = archive(("a.csv", b"1"))
    with pytest.raises(SourceError, match=r"has no Split-eval/b\.csv") as caught:
        artifact_fetch(stand_in(content, is_directory=True), "minio://b/x", download, folder=("Split-eval", "b.csv"))
    assert caught.value.code == "source_missing"


def test_gzip_bomb_stops_at_the_limit(download):
    bomb = gzip.compress(b"".join(archive(("a", b"\0" * 50_000_000), compress=False)))
    assert len(bomb) < 100_000
    with pytest.raises(SourceError) as caught:
        artifact_fetch(stand_in([bomb], is_directory=True), "minio://b/folder", download)
    assert caught.value.code == "source_too_big"
    assert sum(path.stat().st_size for path in download.directory.rglob("*") if path.is_file()) <= 10_000


def test_archive_of_headers_only_stops_at_the_limit(download):
    headers = archive(*[(f"{number:0100}", (tarfile.SYMTYPE, "x" * 90)) for number in range(20_000)])
    with pytest.raises(SourceError) as caught:
        artifact_fetch(stand_in(headers, is_directory=True), "minio://b/folder", download)
    assert caught.value.code == "source_too_big"


def test_damaged_archive_is_reported(download):
    whole, plain = archive(("a", os.urandom(5000))), archive(("b", b"x" * 5000), compress=False)
    for content in ([b"\x1f\x8bnonsense"], whole[:20], plain[:20], [b"nonsense" * 1000]):
        with pytest.raises(EndpointError, match="damaged"):
            artifact_fetch(stand_in(content, is_directory=True), "minio://b/folder", download)


def test_digest_does_not_depend_on_file_order(tmp_path):
    digests = set()
    for order in (["a", "b"], ["b", "a"]):
        directory = tmp_path / "".join(order)
        directory.mkdir()
        download = Download(directory=directory, max_bytes=100)
        for name in order:
            download.save(name, [name.encode()])
        digests.add(download.done("").digest)
    assert len(digests) == 1
    assert download_module.MAX_FILES == 200
