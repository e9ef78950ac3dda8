"""Raises its own priority and its own limits above the given values.

gains: more than its share of the machine
remains(none): the priorities and limits that the portal's user can set
"""

import resource

before = os.getpriority(os.PRIO_PROCESS, 0)
for value in (-20, before - 1):
    attempt(f"nice {value}", os.setpriority, os.PRIO_PROCESS, 0, value)


def is_real_time():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    if os.sched_getscheduler(0) != os.SCHED_FIFO:
        raise PermissionError("answered, but not done")


attempt("real time", is_real_time)
if os.sched_getscheduler(0) in (os.SCHED_BATCH, os.SCHED_IDLE):

    def is_normal():
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        if os.sched_getscheduler(0) != os.SCHED_OTHER:
            raise PermissionError("answered, but not done")

    attempt("normal", is_normal)
for limit in range(16):
    soft, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        attempt(f"limit {limit}", resource.setrlimit, limit, (hard + 1, hard + 1))
tried("limits")
