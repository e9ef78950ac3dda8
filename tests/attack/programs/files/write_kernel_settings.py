"""Opens kernel settings for writing: the core pattern, the module helper, cgroups, its own out-of-memory score.

gains: a program that the kernel itself starts, without limits
remains(none): kernel settings that the portal's user can write
"""

for path in (
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sysrq-trigger",
    "/proc/self/oom_score_adj",
    f"/proc/{V['canary']}/oom_score_adj",
    "/proc/self/uid_map",
    "/proc/self/setgroups",
    "/proc/self/attr/current",
    "/proc/self/coredump_filter",
    "/proc/self/clear_refs",
    "/proc/self/timerslack_ns",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/fs/cgroup/cgroup.procs",
    "/sys/fs/cgroup/pids/tasks",
    "/sys/fs/cgroup/unified/cgroup.procs",
):
    # Opened only: nothing here is to be changed even where it could.
    if os.path.exists(path):
        attempt(path, lambda path=path: os.open(path, os.O_WRONLY))
tried("paths")
