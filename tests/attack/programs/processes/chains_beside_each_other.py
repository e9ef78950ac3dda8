"""Starts eight chains at once, four of them in the render's own session.

gains: a process that nobody ends
needs: chain
ends: succeeded, too_many_processes
repeat: 20
"""

for number in range(8):
    chain(3000, "/bin/sleep", "60", session=bool(number % 2))
