"""Simulated machines on one computer: network namespaces with their own addresses on one bridge."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


def can_make_networks() -> bool:
    """Whether network namespaces and bridges can be created, which needs root and iproute2."""
    return os.getuid() == 0 and shutil.which("ip") is not None


@dataclass(frozen=True, slots=True)
class Machine:
    """A network namespace with an address.

    Attributes:
        cable: the bridge's end of its only link.
    """

    name: str
    address: str
    space: str
    cable: str

    @property
    def prefix(self) -> list[str]:
        """The prefix that makes a command run on this machine, under its host name."""
        inside = f'hostname {self.name} && exec "$@"'
        return ["ip", "netns", "exec", self.space, "unshare", "--uts", "sh", "-c", inside, "sh"]

    def unplug(self) -> None:
        """Disconnects the machine silently."""
        _ip("link", "set", self.cable, "down")

    def plug(self) -> None:
        """Reconnects the machine."""
        _ip("link", "set", self.cable, "up")


@dataclass(frozen=True, slots=True)
class Network:
    """A bridge and its machines; `gateway` is the host's own address on it."""

    gateway: str
    machines: dict[str, Machine]


@contextmanager
def network(names: list[str]) -> Iterator[Network]:
    """Yields machines of these names, connected to each other and to the host; removes them afterwards."""
    mark = f"{os.getpid() % 46656:x}"
    part = os.getpid() % 250 + 1
    bridge = f"vzb{mark}"
    made: dict[str, Machine] = {}
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"10.213.{part}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number, name in enumerate(names, 10):
            machine = Machine(name, f"10.213.{part}.{number}", f"vz{mark}-{name}", f"vz{mark}c{number}")
            made[name] = machine
            _join(machine, bridge)
        yield Network(f"10.213.{part}.1", made)
    finally:
        for machine in made.values():
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", machine.space)
        with suppress(subprocess.CalledProcessError):
            _ip("link", "delete", bridge)


def _join(machine: Machine, bridge: str) -> None:
    inside = f"{machine.cable}i"
    _ip("netns", "add", machine.space)
    _ip("link", "add", machine.cable, "type", "veth", "peer", "name", inside)
    _ip("link", "set", inside, "netns", machine.space)
    _ip("link", "set", machine.cable, "master", bridge)
    _ip("link", "set", machine.cable, "up")
    for call in (["addr", "add", f"{machine.address}/24", "dev", inside], ["link", "set", inside, "up"]):
        _ip("-n", machine.space, *call)
    _ip("-n", machine.space, "link", "set", "lo", "up")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
