"""How much memory a render host and all that it started hold on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from renderer.child.render_child.host import memory, processes
from renderer.hosts import RenderHost


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMemory:
    """A supervisor, its host and the host's children together.

    Attributes:
        pss_bytes: each shared page divided by its users, so that it can be added up; 0 where the system does not tell.
        rss_bytes: shared pages counted for each process anew: never too little.
    """

    pss_bytes: int
    rss_bytes: int


def host_memory(host: RenderHost) -> HostMemory | None:
    """Returns what a host holds now; None where it does not run. Costs milliseconds for each of its processes."""
    supervisor = host.supervisor_pid()
    if supervisor is None:
        return None
    pids = [supervisor, *processes.descendants(supervisor)]
    return HostMemory(
        pss_bytes=sum(map(memory.proportional_bytes, pids)), rss_bytes=sum(map(memory.resident_bytes, pids))
    )
