"""Starts a chain, then ends its own process by SIGKILL: the end is not asked for by anybody.

gains: a process that nobody ends
needs: chain
repeat: 20
ends: kernel_died, too_many_processes
"""

chain(5000, "/bin/sleep", "60")
os.kill(os.getpid(), signal.SIGKILL)
