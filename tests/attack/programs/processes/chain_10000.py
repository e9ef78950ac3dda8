"""Starts a chain of 10,000 processes in its own session, each of which forks and exits, and ends in the meantime.

gains: a process that nobody ends
needs: chain
ends: succeeded, too_many_processes
repeat: 100
"""

chain(10_000, "/bin/sleep", "60")
