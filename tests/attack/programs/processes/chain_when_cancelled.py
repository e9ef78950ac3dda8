"""Starts chains continuously until the render is cancelled.

gains: a process that nobody ends
needs: chain
cancel: 0.5
repeat: 10
ends: cancelled, too_many_processes
"""

until = time.monotonic() + 10
while time.monotonic() < until:
    chain(1500, "/bin/sleep", "60")
    time.sleep(0.1)
