"""The memory that a render host and all its processes use on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from renderer.child.render_child.host import memory, processes
from renderer.hosts import RenderHost


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMemory:
    """The memory of a supervisor, its host and the host's children together.

    Attributes:
        pss_bytes: each shared page divided by its users, so sums are correct; 0 if the system does not report it.
        rss_bytes: shared pages counted once per process, which overestimates.
    """

    pss_bytes: int
    rss_bytes: int


def host_memory(host: RenderHost) -> HostMemory | None:
    """Returns a host's current memory; None if it does not run. Costs milliseconds per process."""
    supervisor = host.supervisor_pid()
    if supervisor is None:
        return None
    pids = [supervisor, *processes.descendants(supervisor)]
    return HostMemory(
        pss_bytes=sum(map(memory.proportional_bytes, pids)), rss_bytes=sum(map(memory.resident_bytes, pids))
    )
