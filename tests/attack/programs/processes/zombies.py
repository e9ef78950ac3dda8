"""Leaves children that have ended and that nobody waits for, below a parent that sleeps, and ends.

gains: a table of processes that fills with the dead
"""


def parent():
    for _ in range(20):
        if not os.fork():
            os._exit(0)
    time.sleep(60)


child(parent)
for _ in range(20):
    child(lambda: None)
time.sleep(0.1)
