"""Lowers the priorities of others, raises its own, and binds others to one processor.

gains: processor time of others
only: landlock, bwrap
"""

for pid in (V["canary"], V["suite"], os.getppid() if os.getppid() > 1 else V["canary"]):
    reads("nice", os.setpriority, os.PRIO_PROCESS, pid, 19)
    reads("affinity", os.sched_setaffinity, pid, {0})
    reads("scheduler", os.sched_setscheduler, pid, os.SCHED_IDLE, os.sched_param(0))
    reads("limits", lambda pid=pid: __import__("resource").prlimit(pid, 7, (10, 10)))
    reads("io priority", lambda pid=pid: call(251, 1, pid, 3 << 13) if os.uname().machine == "x86_64" else None)
reads("nice of the user", os.setpriority, os.PRIO_USER, os.getuid(), 19)
reads("nice of the group", os.setpriority, os.PRIO_PGRP, os.getpgid(0), 19)
