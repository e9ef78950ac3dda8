"""Kernels that use libzmq may open Unix sockets only in the render's folder."""

# ruff: noqa: ARG005  (all rows have the same signature)

import socket
from pathlib import Path

import pytest
from renderer.child.render_child.sandbox import confinement as sandbox
from renderer.child.render_child.sandbox import landlock, probe

from packages.renderer.tests.sandbox.forks import REFUSED, connect, needs_confinement

UNIX_REFUSED = {
    "tcp": lambda s: socket.socket(socket.AF_INET),
    "tcp, upper half filled": lambda s: probe.call("socket", socket.AF_INET | 1 << 32, socket.SOCK_STREAM, 0),
    "udp": lambda s: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
    "netlink about devices": lambda s: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15),
    "another's abstract socket": lambda s: connect(s.abstract),
}


@needs_confinement
@pytest.mark.parametrize("act", UNIX_REFUSED.values(), ids=UNIX_REFUSED.keys())
def test_other_sockets_are_refused(inside, act):
    if act is UNIX_REFUSED["another's abstract socket"] and landlock.read_abi() < 6:
        pytest.skip("this kernel cannot")
    kind, code = inside(act, sockets="unix")
    assert (kind, code in REFUSED) == ("errno", True), (kind, code)


@needs_confinement
def test_unix_sockets_work_in_the_room(inside):
    def talk(s):
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("talk")
        listener.listen()
        connect("talk")
        Path("talk").unlink()

    assert inside(talk, sockets="unix") == ["value", None]


@needs_confinement
def test_socket_path_outside_is_reachable_only_if_reported_as_gap(inside):
    kind, _ = inside(lambda s: connect(s.named), sockets="unix")
    assert (kind == "value") == ("unix sockets by path" in sandbox.describe("landlock", "unix").gaps)
