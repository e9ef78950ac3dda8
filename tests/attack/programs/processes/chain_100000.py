"""Starts a chain of 100,000 processes in a session of its own that each fork and exit, and ends meanwhile.

gains: a process that nobody ends
needs: chain
ends: succeeded, too_many_processes
repeat: 100
"""

chain(100_000, "/bin/sleep", "60")
