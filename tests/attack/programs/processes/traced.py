"""Leaves processes that are stopped under ptrace, and one that traces the others.

gains: a process that cannot be ended, or control of another process
needs: x86_64
remains(none): tracing of processes of the portal's user
"""

reaches("attach canary", 101, 16, V["canary"], 0, 0)
reaches("seize canary", 101, 0x4206, V["canary"], 0, 0)
if os.getppid() > 1:
    reaches("seize parent", 101, 0x4206, os.getppid(), 0, 0)


def traced():
    call(101, 0, 0, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(60)


child(traced)
time.sleep(0.1)
