"""Starts processes with clone3, whose flags no filter can see, with every namespace and into another cgroup.

gains: a process in its own namespaces
needs: x86_64
remains(none): namespaces
"""


def clone3(flags, cgroup=0):
    arguments = struct.pack("QQQQQQQQQQQ", flags, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, cgroup)
    pid = call(435, arguments, len(arguments))
    if not pid:
        signal.alarm(60)
        time.sleep(60)
        os._exit(0)
    return pid


for bit in (17, 25, 26, 27, 28, 29, 30, 7):
    attempt(f"clone3 {1 << bit:#x}", clone3, 1 << bit)
reads("clone3 CLONE_PARENT", clone3, 0x8000)
reads("clone3 CLONE_INTO_CGROUP", clone3, 0x200000000, 3)
reads("clone3", clone3, 0)
