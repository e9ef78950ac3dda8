"""Starts a chain of 10 processes in its own session, each of which forks and exits, and ends in the meantime.

gains: a process that nobody ends
needs: chain
ends: succeeded, too_many_processes
repeat: 100
"""

chain(10, "/bin/sleep", "60")
