"""Makes a render's folder, files that it must not reach, and a child that enters the sandbox there."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from renderer.child.render_child.sandbox import confinement as sandbox

from packages.renderer.tests.sandbox.forks import MAX_FILE_BYTES, NOBODY, paths_for_tests, run_forked


def make_stage(uid):
    """Makes a room for the render, its input, and files that it must not reach, all owned by the render's user."""
    base = Path(tempfile.mkdtemp(prefix="vp-stage-"))
    for folder in ("room/work", "input", "other"):
        (base / folder).mkdir(parents=True)
    for canary in ("canary", "input/canary", "other/canary", "room/canary"):
        (base / canary).write_text("canary")
    for path in (base, *base.rglob("*")):
        os.chown(path, uid, uid)
    return base


@pytest.fixture(scope="module", params=["same user", "nobody"])
def stage(request):
    uid = NOBODY if request.param == "nobody" else os.getuid()
    if request.param == "nobody" and os.getuid():
        pytest.skip("only root can become another user")
    base = make_stage(uid)
    # It belongs to the same user, so that only the sandbox protects it.
    user = {"user": uid, "group": uid, "extra_groups": []} if uid != os.getuid() else {}
    victim = subprocess.Popen(["sleep", "600"], **user)
    named, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    named.bind(str(base / "socket"))
    os.chown(base / "socket", uid, uid)
    abstract.bind(f"\0{base.name}")
    for listener in (named, abstract):
        listener.listen(64)
    yield SimpleNamespace(
        base=base,
        uid=uid,
        room=base / "room",
        input=base / "input",
        victim=victim.pid,
        named=str(base / "socket"),
        abstract=f"\0{base.name}",
    )
    victim.kill()
    victim.wait()
    named.close()
    abstract.close()
    shutil.rmtree(base)


def enter_stage(stage, sockets, readable):
    if stage.uid != os.getuid():
        os.setgroups([])
        os.setgid(stage.uid)
        os.setuid(stage.uid)
    box = sandbox.Sandbox.prepare(mode="landlock", read_paths=paths_for_tests())
    box.enter(readable=readable, writable=[str(stage.room / "work")], sockets=sockets, max_file_bytes=MAX_FILE_BYTES)
    os.chdir(stage.room / "work")
    os.environ.update(TMPDIR=str(stage.room / "work"), HOME=str(stage.room / "work"))
    tempfile.tempdir = None


@pytest.fixture
def inside(stage):
    """Runs `act(stage)` in a child that has entered the sandbox."""

    def inside(act, *, sockets="none"):
        def entered():
            try:
                enter_stage(stage, sockets, [str(stage.room), str(stage.input)])
            except OSError as error:
                raise AssertionError("this is no refusal of the sandbox") from error
            return act(stage)

        return run_forked(entered)

    return inside
