"""Reads the machine's tables of network connections, mounts and users in /proc.

gains: every connection of the machine, and all mounts
remains(none): everything in /proc about the machine
"""

for name in ("tcp", "tcp6", "udp", "unix", "route", "arp", "dev", "netlink"):
    for place in (
        "/proc/self/net",
        f"/proc/self/task/{threading.get_native_id()}/net",
        "/proc/thread-self/net",
        "/proc/net",
    ):
        attempt(f"{place}/{name}", lambda path=f"{place}/{name}": read(path)[:60])
for name in ("mounts", "mountinfo", "mountstats"):
    try:
        found = read(f"/proc/self/{name}", 100_000)
    except OSError as error:
        say("REFUSED", name, error)
    else:
        say("GAINED" if b"cgroup" in found or len(found.splitlines()) > 3 else "TRIED", name, found[:60])
for path in (
    "/proc/locks",
    "/proc/partitions",
    "/proc/diskstats",
    "/proc/interrupts",
    "/proc/kallsyms",
    "/proc/cmdline",
    "/proc/keys",
    "/proc/sched_debug",
    "/proc/mounts",
    "/proc/sys/kernel/hostname",
    "/proc/1/cgroup",
):
    attempt(path, read, path, 60)
