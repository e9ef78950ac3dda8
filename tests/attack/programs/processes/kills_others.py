"""Sends signals to the canary, the suite, its host, the supervisor, other groups, and all processes.

gains: the end of the portal's processes
only: landlock, bwrap
"""

for pid in (V["canary"], V["suite"], -V["canary"]):
    attempt(f"kill {pid}", os.kill, pid, signal.SIGSTOP)
parent = os.getppid()
for number in (0, signal.SIGCONT, signal.SIGSTOP, signal.SIGKILL):
    if parent > 1:
        attempt(f"kill parent {number}", os.kill, parent, number)
# Signal 0 asks for the right alone.
for pid in (1, 2):
    if pid not in (os.getpid(), os.getppid()) and V["canary"] > 100:
        reads(f"kill {pid}", os.kill, pid, 0)
attempt("kill group", os.killpg, V["canary"], 0)
if hasattr(os, "pidfd_open"):
    try:
        handle = os.pidfd_open(V["canary"])
        attempt("pidfd_send_signal", signal.pidfd_send_signal, handle, signal.SIGSTOP)
        attempt("pidfd_getfd", call, 438, handle, 0, 0)
    except OSError as error:
        say("REFUSED", "pidfd_open", error)
for name, number in (("tkill", 200), ("tgkill", 234)):
    if os.uname().machine == "x86_64":
        arguments = (V["canary"], signal.SIGSTOP) if name == "tkill" else (V["canary"], V["canary"], signal.SIGSTOP)
        attempt(name, call, number, *arguments)
