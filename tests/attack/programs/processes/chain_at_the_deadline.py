"""Starts a chain right before the deadline ends the render.

gains: a process that nobody ends
needs: chain
limits: timeout_s=1.0
repeat: 10
ends: timed_out, too_many_processes
"""

tried("wait")
time.sleep(0.85)
chain(20_000, "/bin/sleep", "60")
time.sleep(20)
