"""Prepare and enter a sandbox with each version of Landlock, and list what may be read inside."""

import errno
import resource
import socket
import sys
import threading
from pathlib import Path

import pytest
from renderer.child.render_child.sandbox import confinement as sandbox
from renderer.child.render_child.sandbox import landlock, probe

from packages.renderer.tests.sandbox.forks import MAX_FILE_BYTES, needs_confinement, paths_for_tests, run_forked


@needs_confinement
def test_forked_process_cannot_enter_its_parents_sandbox(tmp_path):
    def enter_in_a_fork():
        box = sandbox.Sandbox.prepare(mode="landlock", read_paths=[])

        def enter():
            with pytest.raises(sandbox.SandboxError, match="another process"):
                box.enter(readable=[], writable=[str(tmp_path)], sockets="none", max_file_bytes=1)

        return run_forked(enter)

    assert run_forked(enter_in_a_fork) == ["value", ["value", None]]


@needs_confinement
def test_process_with_second_thread_cannot_enter(tmp_path):
    def enter():
        ended = threading.Event()
        threading.Thread(target=ended.wait, daemon=True).start()
        box = sandbox.Sandbox.prepare(mode="landlock", read_paths=[])
        with pytest.raises(sandbox.SandboxError, match="thread"):
            box.enter(readable=[], writable=[str(tmp_path)], sockets="none", max_file_bytes=1)

    assert run_forked(enter) == ["value", None]


def test_kernel_without_landlock_is_reported_as_no_sandbox(monkeypatch):
    monkeypatch.setattr(landlock, "read_abi", lambda: 0)
    assert sandbox.describe("landlock") == sandbox.Confinement(mode="none", abi=0, gaps=("files", "network", "signals"))
    with pytest.raises(sandbox.SandboxError, match="no sandbox"):
        sandbox.Sandbox.prepare(mode="landlock", read_paths=[])


def test_mode_none_sets_only_the_limits(tmp_path):
    def enter():
        box = sandbox.Sandbox.prepare(mode="none", read_paths=[])
        box.enter(readable=[], writable=[str(tmp_path)], sockets="none", max_file_bytes=1000)
        socket.socket(socket.AF_INET).close()
        return resource.getrlimit(resource.RLIMIT_FSIZE)

    assert run_forked(enter) == ["value", [1000, 1000]]
    assert sandbox.describe("none").gaps == ("files", "network", "signals")


@needs_confinement
@pytest.mark.parametrize("sockets", ["none", "unix"])
def test_probe_finds_the_gaps_that_describe_returns(sockets):
    found = run_forked(lambda: probe.self_test("landlock", paths_for_tests(), sockets=sockets))
    assert found == ["value", list(sandbox.describe("landlock", sockets).gaps)]


@needs_confinement
def test_probe_finds_every_gap_without_sandbox():
    kind, found = run_forked(lambda: probe.self_test("none", []))
    assert kind == "value", found
    assert {"files", "input", "other renders", "tcp", "udp", "unix sockets by path", "abstract sockets"} <= set(found)
    assert {"signals", "processes", "ptrace", "mount", "truncation"} <= set(found)


def test_read_paths_contain_no_secrets_and_no_duplicates():
    found = sandbox.read_paths()
    assert all(Path(path).exists() for path in found)
    assert not {"/", "/root", "/home", "/etc", "/proc", "/proc/self", "/dev", "/dev/shm", "/etc/shadow", "/tmp"} & set(
        found
    )
    assert not any(Path(path).is_relative_to(other) for path in found for other in found if path != other)
    for needed in (sys.prefix, sys.base_prefix, "/usr/bin", "/proc/self/status", "/dev/null"):
        assert any(Path(needed).is_relative_to(path) for path in found), needed


def test_only_library_folders_of_a_home_prefix_are_readable(monkeypatch, tmp_path):
    for name in ("lib", "bin", "secrets"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path), str(tmp_path.parent)])
    found = sandbox.read_paths()
    assert {str(tmp_path / "lib"), str(tmp_path / "bin")} <= set(found)
    assert not {str(tmp_path), str(tmp_path.parent), str(tmp_path / "secrets")} & set(found)


# --- Versions of Landlock -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("abi", "highest", "network", "scopes", "length"),
    [
        (1, landlock.MAKE_SYM, 0, 0, 8),
        (2, landlock.REFER, 0, 0, 8),
        (3, landlock.TRUNCATE, 0, 0, 8),
        (4, landlock.TRUNCATE, 3, 0, 16),
        (5, landlock.IOCTL_DEV, 3, 0, 16),
        (6, landlock.IOCTL_DEV, 3, 3, 24),
        (7, landlock.IOCTL_DEV, 3, 3, 24),
        (8, landlock.IOCTL_DEV, 3, 3, 24),
        (9, landlock.RESOLVE_UNIX, 3, 3, 24),
        (99, landlock.RESOLVE_UNIX, 3, 3, 24),
    ],
)
def test_ruleset_has_only_flags_of_its_landlock_version(abi, highest, network, scopes, length):
    assert landlock.handled(abi) == (2 * highest - 1, network, scopes)
    assert len(landlock.pack_ruleset(abi)) == length


@needs_confinement
@pytest.mark.parametrize("abi", range(1, 8))
def test_sandbox_works_with_older_landlock_versions(monkeypatch, tmp_path, abi):
    if abi > landlock.read_abi():
        pytest.skip("this kernel is older")
    monkeypatch.setattr(landlock, "read_abi", lambda: abi)

    def enter():
        box = sandbox.Sandbox.prepare(mode="landlock", read_paths=paths_for_tests())
        box.enter(readable=[], writable=[str(tmp_path)], sockets="none", max_file_bytes=MAX_FILE_BYTES)
        (tmp_path / "own").write_text("x")
        return Path("/etc/shadow").open().close()

    assert run_forked(enter) == ["errno", errno.EACCES]


@pytest.mark.parametrize(
    ("abi", "sockets", "gaps"),
    [
        (1, "none", ("truncation", "signals")),
        (5, "none", ("signals",)),
        (5, "unix", ("signals", "abstract sockets", "unix sockets by path")),
        (7, "none", ()),
        (7, "unix", ("unix sockets by path",)),
        (9, "unix", ()),
    ],
)
def test_gaps_of_each_landlock_version(abi, sockets, gaps):
    assert sandbox.gaps_of(abi, sockets) == gaps
