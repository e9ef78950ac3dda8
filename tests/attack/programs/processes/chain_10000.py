"""Starts a chain of 10,000 processes in a session of its own that each fork and exit, and ends meanwhile.

gains: a process that nobody ends
needs: chain
ends: succeeded, too_many_processes
repeat: 100
"""

chain(10_000, "/bin/sleep", "60")
