"""Looks for other renders' processes, and signals, reads or waits for them.

gains: access to another person's render
only: landlock, bwrap
"""

for pid in range(max(2, os.getpid() - 200), os.getpid() + 200):
    if pid in (os.getpid(), os.getppid()):
        continue
    try:
        os.kill(pid, 0)
    except OSError:
        continue
    try:
        read(f"/proc/{pid}/environ")
    except OSError:
        continue
    gained(pid)
tried("processes")
