"""Starts a chain, then ends its own process with SIGKILL, so that nobody has requested the end.

gains: a process that nobody ends
needs: chain
repeat: 20
ends: kernel_died, too_many_processes
"""

chain(5000, "/bin/sleep", "60")
os.kill(os.getpid(), signal.SIGKILL)
